#include "engine/providers/cuda/launch/pool.h"

#include <cuda_runtime.h>

#include <type_traits>

#include "engine/providers/cuda/launch/device_types.cuh"
#include "engine/providers/cuda/launch/launch_grid.cuh"

namespace inferd::cuda {
namespace {

constexpr int kThreads = 256;

template <typename T>
__global__ void __launch_bounds__(kThreads)
    Pool(const __grid_constant__ PoolRequest request, int64_t outputs) {
  const int64_t x_plane = request.x_size[0] * request.x_size[1] * request.x_size[2];
  const int64_t y_plane = request.y_size[0] * request.y_size[1] * request.y_size[2];
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
    const int64_t at[3] = {pixel / (request.y_size[1] * request.y_size[2]),
                           pixel / request.y_size[2] % request.y_size[1],
                           pixel % request.y_size[2]};
    int64_t begin[3];
    for (int d = 0; d < 3; ++d) begin[d] = at[d] * request.stride[d] - request.pad[d];
    const T* x = static_cast<const T*>(request.x) + batch * request.channels * x_plane;
    float value = request.average ? 0.0f : -INFINITY;
    int64_t count = 0;
    for (int64_t a = 0; a < request.kernel[0]; ++a) {
      const int64_t i = begin[0] + a * request.dilation[0];
      for (int64_t b = 0; b < request.kernel[1]; ++b) {
        const int64_t j = begin[1] + b * request.dilation[1];
        for (int64_t c = 0; c < request.kernel[2]; ++c) {
          const int64_t k = begin[2] + c * request.dilation[2];
          const bool inside = i >= 0 && i < request.x_size[0] && j >= 0 && j < request.x_size[1] &&
                              k >= 0 && k < request.x_size[2];
          if (!inside) {
            // Padding counts, what ceil_mode adds behind it does not.
            count += request.count_pads && i < request.x_size[0] + request.pad_end[0] &&
                     j < request.x_size[1] + request.pad_end[1] &&
                     k < request.x_size[2] + request.pad_end[2];
            continue;
          }
          ++count;
          const int64_t source = (i * request.x_size[1] + j) * request.x_size[2] + k;
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
  const int64_t outputs =
      request.batch * request.channels * request.y_size[0] * request.y_size[1] * request.y_size[2];
  if (outputs == 0) return;
  const int64_t blocks = (outputs + kThreads - 1) / kThreads;
  const auto grid = static_cast<unsigned>(blocks < 1 << 20 ? blocks : 1 << 20);
  WithFloatType(request.type, [&](auto* of_type) {
    using T = std::remove_pointer_t<decltype(of_type)>;
    LaunchGrid(Pool<T>, grid, kThreads, stream, request, outputs);
  });
}

}  // namespace inferd::cuda
