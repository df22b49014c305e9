#include "engine/providers/cuda/launch/pool.h"

#include <cuda_runtime.h>

#include <type_traits>

#include "engine/providers/cuda/launch/device_types.cuh"
#include "engine/providers/cuda/launch/launch_grid.cuh"
#include "engine/providers/cuda/launch/moving_window.cuh"

namespace inferd::cuda {
namespace {

constexpr int kThreads = 256;

template <typename T>
__global__ void __launch_bounds__(kThreads)
    Pool(const __grid_constant__ PoolRequest request, int64_t outputs) {
  const MovingWindow& window = request.window;
  const int64_t x_plane = Volume(window.input);
  const int64_t y_plane = Volume(window.output);
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t out = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; out < outputs;
       out += stride) {
    // In the order of y's memory, so that writes are coalesced.
    int64_t channel;
    int64_t pixel;
    const int64_t batch = out / (request.channels * y_plane);
    const int64_t within = out % (request.channels * y_plane);
    if (request.channels_last) {
      channel = within % request.channels;
      pixel = within / request.channels;
    } else {
      pixel = within % y_plane;
      channel = within / y_plane;
    }
    const WindowPlace place(window, pixel);
    const T* x = static_cast<const T*>(request.x) + batch * request.channels * x_plane;
    float value = request.average ? 0.0f : -INFINITY;
    int64_t count = 0;
    for (int64_t a = 0; a < window.kernel[0]; ++a) {
      const int64_t i = place.At(window, 0, a);
      for (int64_t b = 0; b < window.kernel[1]; ++b) {
        const int64_t j = place.At(window, 1, b);
        for (int64_t c = 0; c < window.kernel[2]; ++c) {
          const int64_t k = place.At(window, 2, c);
          if (!IsInside(window, 0, i) || !IsInside(window, 1, j) || !IsInside(window, 2, k)) {
            // Padding counts, what ceil_mode adds behind it does not.
            count += request.count_pads && i < window.input[0] + window.pad_end[0] &&
                     j < window.input[1] + window.pad_end[1] &&
                     k < window.input[2] + window.pad_end[2];
            continue;
          }
          ++count;
          const int64_t source = (i * window.input[1] + j) * window.input[2] + k;
          const float element =
              ToFloat(request.channels_last ? x[source * request.channels + channel]
                                            : x[channel * x_plane + source]);
          if (request.average) {
            value += element;
          } else if (element > value || element != element) {
            value = element;
          }
        }
      }
    }
    if (request.average) value = count == 0 ? 0.0f : value / static_cast<float>(count);
    static_cast<T*>(request.y)[out] = FromFloat<T>(value);
  }
}

}  // namespace

void LaunchPool(const PoolRequest& request, Stream stream) {
  const int64_t outputs = request.batch * request.channels * Volume(request.window.output);
  if (outputs == 0) return;
  const int64_t blocks = (outputs + kThreads - 1) / kThreads;
  const auto grid = static_cast<unsigned>(blocks < 1 << 20 ? blocks : 1 << 20);
  WithFloatType(request.type, [&](auto* of_type) {
    using T = std::remove_pointer_t<decltype(of_type)>;
    LaunchGrid(Pool<T>, grid, kThreads, stream, request, outputs);
  });
}

}  // namespace inferd::cuda
