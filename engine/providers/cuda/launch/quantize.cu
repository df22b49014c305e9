#include "engine/providers/cuda/launch/quantize.h"

#include <cuda_fp8.h>
#include <cuda_runtime.h>

#include <type_traits>

#include "engine/providers/cuda/launch/device_types.cuh"
#include "engine/providers/cuda/launch/launch_grid.cuh"

namespace inferd::cuda {
namespace {

constexpr int kThreads = 256;

unsigned GridOf(int64_t elements) {
  const int64_t blocks = (elements + kThreads - 1) / kThreads;
  return static_cast<unsigned>(blocks < 65536 ? blocks : 65536);
}

template <__nv_fp8_interpretation_t kKind>
struct Float8 {
  __nv_fp8_storage_t bits = 0;
  __device__ __forceinline__ explicit operator float() const {
    return __half2float(__half(__nv_cvt_fp8_to_halfraw(bits, kKind)));
  }
};

// Calls `body` with a null pointer to the type that quantized values are stored as.
template <typename Body>
void WithStored(Stored stored, Body body) {
  switch (stored) {
    case Stored::kInt8:
      return body(static_cast<int8_t*>(nullptr));
    case Stored::kUint8:
      return body(static_cast<uint8_t*>(nullptr));
    case Stored::kInt16:
      return body(static_cast<int16_t*>(nullptr));
    case Stored::kUint16:
      return body(static_cast<uint16_t*>(nullptr));
    case Stored::kInt32:
      return body(static_cast<int32_t*>(nullptr));
    case Stored::kFloat8E4m3:
      return body(static_cast<Float8<__NV_E4M3>*>(nullptr));
    case Stored::kFloat8E5m2:
      return body(static_cast<Float8<__NV_E5M2>*>(nullptr));
  }
}

__device__ __forceinline__ int64_t ScaleOf(const ScaleGrid& grid, int64_t i) {
  int64_t at = 0;
  int64_t rest = i;
  for (int d = grid.dims.rank - 1; d >= 0; --d) {
    const int64_t size = grid.dims.size[d];
    const int64_t coordinate = rest % size;
    rest /= size;
    at += (d == grid.axis ? coordinate / grid.block : coordinate) * grid.strides.at[d];
  }
  return at;
}

__device__ __forceinline__ int64_t Clamped(float scaled, int64_t zero, int64_t lowest,
                                           int64_t highest) {
  int64_t value = zero;
  if (scaled == scaled) {
    // Far outside of the range the exact value does not matter.
    value += static_cast<int64_t>(rintf(fminf(fmaxf(scaled, -1e9f), 1e9f)));
  }
  return value < lowest ? lowest : value > highest ? highest : value;
}

template <typename T>
__device__ __forceinline__ T Quantized(float scaled, T zero, const QuantizeRequest& request) {
  return static_cast<T>(Clamped(scaled, zero, request.lowest, request.highest));
}
template <__nv_fp8_interpretation_t kKind>
__device__ __forceinline__ Float8<kKind> Quantized(float scaled, Float8<kKind> zero,
                                                   const QuantizeRequest& request) {
  const auto saturation = request.saturates ? __NV_SATFINITE : __NV_NOSAT;
  return {__nv_cvt_float_to_fp8(scaled + static_cast<float>(zero), saturation, kKind)};
}

template <typename T>
__global__ void __launch_bounds__(kThreads)
    Quantize(const __grid_constant__ QuantizeRequest request) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < request.elements;
       i += stride) {
    const int64_t at = ScaleOf(request.grid, i);
    float scaled = Load<float>(request.x, request.x_type, i) /
                   Load<float>(request.scale, request.scale_type, at);
    if (request.precision == Type::kFloat16) scaled = __half2float(__float2half_rn(scaled));
    if (request.precision == Type::kBfloat16) {
      scaled = __bfloat162float(__float2bfloat16_rn(scaled));
    }
    const T zero = request.zero == nullptr ? T() : static_cast<const T*>(request.zero)[at];
    static_cast<T*>(request.y)[i] = Quantized(scaled, zero, request);
  }
}

// 32 bits have more digits than a float.
template <typename T>
using Difference = std::conditional_t<sizeof(T) == 4, double, float>;

template <typename T>
__global__ void __launch_bounds__(kThreads)
    Dequantize(const __grid_constant__ DequantizeRequest request) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < request.elements;
       i += stride) {
    const int64_t at = ScaleOf(request.grid, i);
    const float zero = request.zero == nullptr
                           ? 0.0f
                           : static_cast<float>(static_cast<const T*>(request.zero)[at]);
    const auto difference =
        static_cast<float>(static_cast<Difference<T>>(static_cast<const T*>(request.x)[i]) - zero);
    Store<float>(request.y, request.y_type, i,
                 difference * Load<float>(request.scale, request.scale_type, at));
  }
}

__device__ __forceinline__ void StoreRange(float lowest, float highest, float* to) {
  __shared__ float low_parts[32];
  __shared__ float high_parts[32];
  lowest = -BlockMax(-lowest, low_parts);
  highest = BlockMax(highest, high_parts);
  if (threadIdx.x == 0) {
    to[0] = lowest;
    to[1] = highest;
  }
}

// Each block's lowest and highest; NaN counts for nothing.
__global__ void __launch_bounds__(kThreads)
    PartRanges(const float* x, int64_t elements, float* parts) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  float lowest = 0;
  float highest = 0;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < elements;
       i += stride) {
    lowest = fminf(lowest, x[i]);
    highest = fmaxf(highest, x[i]);
  }
  StoreRange(lowest, highest, parts + 2 * blockIdx.x);
}

__global__ void __launch_bounds__(kThreads)
    WholeRange(const float* parts, int blocks, float* scale, uint8_t* zero) {
  __shared__ float range[2];
  const int own = static_cast<int>(threadIdx.x);
  StoreRange(own < blocks ? parts[2 * own] : 0.0f, own < blocks ? parts[2 * own + 1] : 0.0f, range);
  if (own != 0) return;
  const float spread = (range[1] - range[0]) / 255.0f;
  const float step = spread == 0 ? 1.0f : spread;
  *scale = step;
  *zero = static_cast<uint8_t>(Clamped(-range[0] / step, 0, 0, 255));
}
static_assert(kRangeBlocks <= kThreads);

}  // namespace

void LaunchQuantize(const QuantizeRequest& request, Stream stream) {
  if (request.elements == 0) return;
  WithStored(request.stored, [&](auto* of_type) {
    using T = std::remove_pointer_t<decltype(of_type)>;
    LaunchGrid(Quantize<T>, GridOf(request.elements), kThreads, stream, request);
  });
}

void LaunchDequantize(const DequantizeRequest& request, Stream stream) {
  if (request.elements == 0) return;
  WithStored(request.stored, [&](auto* of_type) {
    using T = std::remove_pointer_t<decltype(of_type)>;
    LaunchGrid(Dequantize<T>, GridOf(request.elements), kThreads, stream, request);
  });
}

void LaunchRange(const void* x, int64_t elements, void* scratch, float* scale, uint8_t* zero,
                 Stream stream) {
  auto* parts = static_cast<float*>(scratch);
  const unsigned needed = GridOf(elements);
  const unsigned blocks = needed < 1 ? 1 : needed < kRangeBlocks ? needed : kRangeBlocks;
  LaunchGrid(PartRanges, blocks, kThreads, stream, static_cast<const float*>(x), elements, parts);
  LaunchGrid(WholeRange, 1, kThreads, stream, static_cast<const float*>(parts),
             static_cast<int>(blocks), scale, zero);
}

}  // namespace inferd::cuda
