#include "engine/providers/cuda/launch/gather.h"

#include <cuda_runtime.h>

#include <type_traits>

#include "engine/providers/cuda/launch/element.cuh"
#include "engine/providers/cuda/launch/launch_grid.cuh"

namespace inferd::cuda {
namespace {

constexpr int kThreads = 256;

template <typename T>
__global__ void __launch_bounds__(kThreads)
    Gather(const __grid_constant__ GatherRequest request, int64_t elements) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t at = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; at < elements;
       at += stride) {
    const int64_t n = at % request.inner;
    const int64_t row = at / request.inner;
    const int64_t i = row % request.count;
    const int64_t o = row / request.count;
    int64_t index = request.wide_indices ? static_cast<const int64_t*>(request.indices)[i]
                                         : static_cast<const int32_t*>(request.indices)[i];
    if (index < 0) index += request.length;
    T value = {};
    if (index >= 0 && index < request.length) {
      value = static_cast<const T*>(request.x)[(o * request.length + index) * request.inner + n];
    } else {
      *static_cast<volatile int*>(request.fault) = 1;
    }
    static_cast<T*>(request.y)[at] = value;
  }
}

template <typename T>
void Launch(const GatherRequest& request, Stream stream) {
  const int64_t elements = request.outer * request.count * request.inner;
  if (elements == 0) return;
  const int64_t blocks = (elements + kThreads - 1) / kThreads;
  const auto grid = static_cast<unsigned>(blocks < 1 << 20 ? blocks : 1 << 20);
  LaunchGrid(Gather<T>, grid, kThreads, stream, request, elements);
}

}  // namespace

void LaunchGather(const GatherRequest& request, Stream stream) {
  WithElement(request.element_bytes, [&](auto* element) {
    Launch<std::remove_pointer_t<decltype(element)>>(request, stream);
  });
}

}  // namespace inferd::cuda
