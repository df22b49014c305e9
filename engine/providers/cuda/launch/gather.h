#pragma once

#include "engine/providers/cuda/launch/types.h"

namespace inferd::cuda {

// y[o, i, n] = x[o, indices[i], n] over x [outer, length, inner]; negative indices count from the
// end. Where one is out of range, y gets zeros and `*fault` a 1.
struct GatherRequest {
  const void* x = nullptr;
  void* y = nullptr;
  const void* indices = nullptr;
  bool wide_indices = true;  // int64, else int32
  int element_bytes = 4;     // 1, 2, 4, 8 or 16
  int64_t outer = 1;
  int64_t length = 1;
  int64_t inner = 1;
  int64_t count = 1;  // of indices
  int* fault = nullptr;
};
void LaunchGather(const GatherRequest& request, Stream stream);

}  // namespace inferd::cuda
