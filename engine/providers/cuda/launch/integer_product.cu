#include "engine/providers/cuda/launch/integer_product.h"

#include <cuda_runtime.h>

#include "engine/providers/cuda/launch/element_access.cuh"
#include "engine/providers/cuda/launch/launch_grid.cuh"

namespace inferd::cuda {
namespace {

constexpr int kThreads = 256;

__device__ __forceinline__ int32_t Eight(const void* data, bool is_unsigned, int64_t i) {
  return is_unsigned ? static_cast<const uint8_t*>(data)[i] : static_cast<const int8_t*>(data)[i];
}

// A block a row.
__global__ void __launch_bounds__(kThreads) Rows(const __grid_constant__ IntegerRows request) {
  __shared__ int total;
  const bool shifts = request.to != nullptr;
  for (int64_t row = blockIdx.x; row < request.rows; row += gridDim.x) {
    if (threadIdx.x == 0) total = 0;
    __syncthreads();
    int sum = 0;
    for (int64_t i = threadIdx.x; i < request.length; i += kThreads) {
      const int64_t at = row * request.length + i;
      const int32_t value = Eight(request.from, shifts, at) - (shifts ? 128 : 0);
      if (shifts) request.to[at] = static_cast<int8_t>(value);
      sum += value;
    }
    if (request.sums != nullptr) atomicAdd(&total, sum);
    __syncthreads();
    if (threadIdx.x == 0 && request.sums != nullptr) request.sums[row] = total;
    __syncthreads();
  }
}

__device__ __forceinline__ int32_t WithoutZeros(const IntegerResult& request, int64_t row,
                                                int64_t column) {
  auto sum = static_cast<uint32_t>(request.sums[row * request.columns + column]);
  if (request.row_sums != nullptr) {
    sum -= static_cast<uint32_t>(request.b_zeros[column]) *
           static_cast<uint32_t>(request.row_sums[row]);
  }
  const int32_t zero = request.a_zero == nullptr
                           ? 0
                           : Eight(request.a_zero, request.a_unsigned, row % request.a_zeros);
  sum -= static_cast<uint32_t>(zero - request.a_shift) *
         static_cast<uint32_t>(request.b_terms[column]);
  return static_cast<int32_t>(sum);
}

__global__ void __launch_bounds__(kThreads) Result(const __grid_constant__ IntegerResult request) {
  const int64_t elements = request.rows * request.columns;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < elements;
       i += stride) {
    const int64_t row = i / request.columns;
    const int64_t column = i % request.columns;
    const int32_t sum = WithoutZeros(request, row, column);
    if (request.a_scale == nullptr) {
      static_cast<int32_t*>(request.y)[i] = sum;
      continue;
    }
    // Sums have more digits than a float.
    const double scale =
        Load<double>(request.a_scale, request.a_scale_type, row % request.a_scales) *
        Load<double>(request.b_scale, request.b_scale_type, column % request.b_scales);
    if (request.y_scale == nullptr) {
      auto real = static_cast<float>(sum * scale);
      if (request.bias != nullptr) real += Load<float>(request.bias, request.y_type, column);
      Store<float>(request.y, request.y_type, i, real);
      continue;
    }
    const auto scaled =
        static_cast<float>(sum * scale / Load<double>(request.y_scale, request.y_scale_type, 0));
    const bool is_unsigned = request.y_type == Type::kUint8;
    int32_t value = Eight(request.y_zero, is_unsigned, 0);
    if (scaled == scaled) value += static_cast<int32_t>(rintf(fminf(fmaxf(scaled, -1e9f), 1e9f)));
    const int32_t lowest = is_unsigned ? 0 : -128;
    const int32_t highest = is_unsigned ? 255 : 127;
    value = value < lowest ? lowest : value > highest ? highest : value;
    static_cast<uint8_t*>(request.y)[i] = static_cast<uint8_t>(value);
  }
}

unsigned GridOf(int64_t blocks) { return static_cast<unsigned>(blocks < 65536 ? blocks : 65536); }

}  // namespace

void LaunchIntegerRows(const IntegerRows& request, Stream stream) {
  if (request.rows == 0) return;
  LaunchGrid(Rows, GridOf(request.rows), kThreads, stream, request);
}

void LaunchIntegerResult(const IntegerResult& request, Stream stream) {
  const int64_t elements = request.rows * request.columns;
  if (elements == 0) return;
  LaunchGrid(Result, GridOf((elements + kThreads - 1) / kThreads), kThreads, stream, request);
}

}  // namespace inferd::cuda
