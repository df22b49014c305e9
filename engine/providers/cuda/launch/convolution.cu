#include "engine/providers/cuda/launch/convolution.h"

#include <cuda_runtime.h>

#include <type_traits>

#include "engine/providers/cuda/launch/device_types.cuh"
#include "engine/providers/cuda/launch/launch_grid.cuh"
#include "engine/providers/cuda/launch/moving_window.cuh"

namespace inferd::cuda {
namespace {

constexpr int kThreads = 256;

// A thread an output: slow, and right for everything.
template <typename T>
__global__ void __launch_bounds__(kThreads)
    Convolution(const __grid_constant__ ConvolutionRequest request, int64_t outputs) {
  const int64_t in_group = request.channels / request.groups;
  const int64_t out_group = request.filters / request.groups;
  const MovingWindow& window = request.window;
  const int64_t taps = Volume(window.kernel);
  const int64_t x_plane = Volume(window.input);
  const int64_t y_plane = Volume(window.output);
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t out = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; out < outputs;
       out += stride) {
    const int64_t filter = out % request.filters;
    const int64_t pixel = out / request.filters % y_plane;
    const int64_t batch = out / request.filters / y_plane;
    const int64_t first = filter / out_group * in_group;
    const WindowPlace place(window, pixel);
    const T* w = static_cast<const T*>(request.w) + filter * taps * in_group;
    const T* x = static_cast<const T*>(request.x) + batch * x_plane * request.channels + first;
    float sum = 0;
    for (int64_t a = 0; a < window.kernel[0]; ++a) {
      const int64_t i = place.At(window, 0, a);
      if (!IsInside(window, 0, i)) continue;
      for (int64_t b = 0; b < window.kernel[1]; ++b) {
        const int64_t j = place.At(window, 1, b);
        if (!IsInside(window, 1, j)) continue;
        for (int64_t c = 0; c < window.kernel[2]; ++c) {
          const int64_t k = place.At(window, 2, c);
          if (!IsInside(window, 2, k)) continue;
          const int64_t tap = (a * window.kernel[1] + b) * window.kernel[2] + c;
          const int64_t source = (i * window.input[1] + j) * window.input[2] + k;
          const T* from = x + source * request.channels;
          const T* weights = w + tap * in_group;
          for (int64_t ch = 0; ch < in_group; ++ch) {
            sum += ToFloat(from[ch]) * ToFloat(weights[ch]);
          }
        }
      }
    }
    static_cast<T*>(request.y)[out] = FromFloat<T>(sum);
  }
}

}  // namespace

void LaunchDirectConvolution(const ConvolutionRequest& request, Stream stream) {
  const int64_t outputs = request.batch * request.filters * Volume(request.window.output);
  if (outputs == 0) return;
  const int64_t blocks = (outputs + kThreads - 1) / kThreads;
  const auto grid = static_cast<unsigned>(blocks < 1 << 20 ? blocks : 1 << 20);
  WithFloatType(request.type, [&](auto* of_type) {
    using T = std::remove_pointer_t<decltype(of_type)>;
    LaunchGrid(Convolution<T>, grid, kThreads, stream, request, outputs);
  });
}

}  // namespace inferd::cuda
