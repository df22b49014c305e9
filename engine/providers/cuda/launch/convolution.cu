#include "engine/providers/cuda/launch/convolution.h"

#include <cuda_runtime.h>

#include <type_traits>

#include "engine/providers/cuda/launch/device_types.cuh"
#include "engine/providers/cuda/launch/launch_grid.cuh"

namespace inferd::cuda {
namespace {

constexpr int kThreads = 256;

// A thread an output: slow, and right for everything.
template <typename T>
__global__ void __launch_bounds__(kThreads)
    Convolution(const __grid_constant__ ConvolutionRequest request, int64_t outputs) {
  const int64_t in_group = request.channels / request.groups;
  const int64_t out_group = request.filters / request.groups;
  const int64_t taps = request.kernel[0] * request.kernel[1] * request.kernel[2];
  const int64_t x_plane = request.x_size[0] * request.x_size[1] * request.x_size[2];
  const int64_t y_plane = request.y_size[0] * request.y_size[1] * request.y_size[2];
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t out = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; out < outputs;
       out += stride) {
    const int64_t filter = out % request.filters;
    const int64_t pixel = out / request.filters % y_plane;
    const int64_t batch = out / request.filters / y_plane;
    const int64_t first = filter / out_group * in_group;
    const int64_t at[3] = {pixel / (request.y_size[1] * request.y_size[2]),
                           pixel / request.y_size[2] % request.y_size[1],
                           pixel % request.y_size[2]};
    const T* w = static_cast<const T*>(request.w) + filter * taps * in_group;
    const T* x = static_cast<const T*>(request.x) + batch * x_plane * request.channels + first;
    float sum = 0;
    for (int64_t a = 0; a < request.kernel[0]; ++a) {
      const int64_t i = at[0] * request.stride[0] - request.pad[0] + a * request.dilation[0];
      if (i < 0 || i >= request.x_size[0]) continue;
      for (int64_t b = 0; b < request.kernel[1]; ++b) {
        const int64_t j = at[1] * request.stride[1] - request.pad[1] + b * request.dilation[1];
        if (j < 0 || j >= request.x_size[1]) continue;
        for (int64_t c = 0; c < request.kernel[2]; ++c) {
          const int64_t k = at[2] * request.stride[2] - request.pad[2] + c * request.dilation[2];
          if (k < 0 || k >= request.x_size[2]) continue;
          const int64_t tap = (a * request.kernel[1] + b) * request.kernel[2] + c;
          const int64_t source = (i * request.x_size[1] + j) * request.x_size[2] + k;
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
  const int64_t outputs =
      request.batch * request.filters * request.y_size[0] * request.y_size[1] * request.y_size[2];
  if (outputs == 0) return;
  const int64_t blocks = (outputs + kThreads - 1) / kThreads;
  const auto grid = static_cast<unsigned>(blocks < 1 << 20 ? blocks : 1 << 20);
  WithFloatType(request.type, [&](auto* of_type) {
    using T = std::remove_pointer_t<decltype(of_type)>;
    LaunchGrid(Convolution<T>, grid, kThreads, stream, request, outputs);
  });
}

}  // namespace inferd::cuda
