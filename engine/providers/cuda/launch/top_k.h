#pragma once

#include "engine/providers/cuda/launch/types.h"

namespace inferd::cuda {

// The k greatest (or least) of every line of x [outer, size, inner] along `size`, best first, equal
// ones in their order, NaN being the greatest: values and indices (int64) are [outer, k, inner].
// Of any type but bools.
struct TopKRequest {
  const void* x = nullptr;
  void* values = nullptr;
  int64_t* indices = nullptr;  // may be null
  void* scratch = nullptr;     // of TopKScratchBytes
  Type type = Type::kFloat32;
  int element_bytes = 4;
  bool largest = true;
  int64_t lines = 0;  // outer * inner
  int64_t size = 0;
  int64_t inner = 1;
  int64_t k = 0;
};
void LaunchTopK(const TopKRequest& request, Stream stream);

inline int64_t TopKScratchBytes(const TopKRequest& request) {
  return request.lines * request.k * 16;
}

}  // namespace inferd::cuda
