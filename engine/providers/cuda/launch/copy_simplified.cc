#include <cstdint>

#include "engine/providers/cuda/launch/copy.h"

namespace inferd::cuda {
namespace {

constexpr int kMostBytes = 16;

void RemoveDim(CopyRequest* request, int d) {
  Dims& dims = request->dims;
  for (int i = d; i + 1 < dims.rank; ++i) {
    dims.size[i] = dims.size[i + 1];
    request->from_strides.at[i] = request->from_strides.at[i + 1];
    request->to_strides.at[i] = request->to_strides.at[i + 1];
  }
  --dims.rank;
}

// Dimensions of one element go; neighbours that are as one on both sides are joined.
void Join(CopyRequest* request) {
  Dims& dims = request->dims;
  for (int d = dims.rank - 1; d >= 0; --d) {
    if (dims.size[d] == 1) RemoveDim(request, d);
  }
  for (int d = dims.rank - 2; d >= 0; --d) {
    const bool one =
        request->from_strides.at[d] == request->from_strides.at[d + 1] * dims.size[d + 1] &&
        request->to_strides.at[d] == request->to_strides.at[d + 1] * dims.size[d + 1];
    if (!one) continue;
    dims.size[d + 1] *= dims.size[d];
    RemoveDim(request, d);
  }
}

// Two neighbours in memory as one element of twice the size, where everything allows that.
bool Widen(CopyRequest* request) {
  const Dims& dims = request->dims;
  if (dims.rank == 0 || request->element_bytes >= kMostBytes) return false;
  const int last = dims.rank - 1;
  if (request->from_strides.at[last] != 1 || request->to_strides.at[last] != 1) return false;
  if (dims.size[last] % 2 != 0 || request->from_at % 2 != 0 || request->to_at % 2 != 0)
    return false;
  for (int d = 0; d < last; ++d) {
    if (request->from_strides.at[d] % 2 != 0 || request->to_strides.at[d] % 2 != 0) return false;
  }
  for (int d = 0; d < last; ++d) {
    request->from_strides.at[d] /= 2;
    request->to_strides.at[d] /= 2;
  }
  request->dims.size[last] /= 2;
  request->from_at /= 2;
  request->to_at /= 2;
  request->element_bytes *= 2;
  return true;
}

}  // namespace

CopyRequest Simplified(const CopyRequest& request) {
  CopyRequest simple = request;
  for (int d = 0; d < request.dims.rank; ++d) {
    if (request.dims.size[d] != 0) continue;
    simple.dims.rank = 1;
    simple.dims.size[0] = 0;
    return simple;
  }
  Join(&simple);
  while (Widen(&simple)) {
  }
  Join(&simple);
  return simple;
}

}  // namespace inferd::cuda
