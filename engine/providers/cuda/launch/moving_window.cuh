#pragma once

#include "engine/providers/cuda/launch/moving_window.h"

namespace inferd::cuda {

__host__ __device__ __forceinline__ int64_t Volume(const int64_t (&sizes)[3]) {
  return sizes[0] * sizes[1] * sizes[2];
}

// Where the window of one output pixel begins, in front of the input where there is padding.
struct WindowPlace {
  int64_t begin[3];

  __device__ __forceinline__ WindowPlace(const MovingWindow& window, int64_t pixel) {
#pragma unroll
    for (int d = 2; d >= 0; --d) {
      begin[d] = pixel % window.output[d] * window.stride[d] - window.pad[d];
      pixel /= window.output[d];
    }
  }
  // The input's coordinate under tap `tap` of dimension d.
  __device__ __forceinline__ int64_t At(const MovingWindow& window, int d, int64_t tap) const {
    return begin[d] + tap * window.dilation[d];
  }
};

__device__ __forceinline__ bool IsInside(const MovingWindow& window, int d, int64_t at) {
  return at >= 0 && at < window.input[d];
}

}  // namespace inferd::cuda
