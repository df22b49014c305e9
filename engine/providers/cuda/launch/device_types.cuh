#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "engine/providers/cuda/launch/types.h"

// Loads and stores of elements whose type is known only while running; for .cu files.
namespace inferd::cuda {

template <typename C>
__device__ __forceinline__ C Load(const void* data, Type type, int64_t i) {
  switch (type) {
    case Type::kFloat32:
      return static_cast<C>(static_cast<const float*>(data)[i]);
    case Type::kFloat16:
      return static_cast<C>(__half2float(static_cast<const __half*>(data)[i]));
    case Type::kBfloat16:
      return static_cast<C>(__bfloat162float(static_cast<const __nv_bfloat16*>(data)[i]));
    case Type::kFloat64:
      return static_cast<C>(static_cast<const double*>(data)[i]);
    case Type::kInt32:
      return static_cast<C>(static_cast<const int32_t*>(data)[i]);
    case Type::kInt64:
      return static_cast<C>(static_cast<const int64_t*>(data)[i]);
    case Type::kInt8:
      return static_cast<C>(static_cast<const int8_t*>(data)[i]);
    case Type::kUint8:
      return static_cast<C>(static_cast<const uint8_t*>(data)[i]);
    case Type::kBool:
      return static_cast<C>(static_cast<const uint8_t*>(data)[i] != 0);
  }
  return C(0);
}

template <typename C>
__device__ __forceinline__ void Store(void* data, Type type, int64_t i, C value) {
  switch (type) {
    case Type::kFloat32:
      static_cast<float*>(data)[i] = static_cast<float>(value);
      return;
    case Type::kFloat16:
      static_cast<__half*>(data)[i] = __float2half_rn(static_cast<float>(value));
      return;
    case Type::kBfloat16:
      static_cast<__nv_bfloat16*>(data)[i] = __float2bfloat16_rn(static_cast<float>(value));
      return;
    case Type::kFloat64:
      static_cast<double*>(data)[i] = static_cast<double>(value);
      return;
    case Type::kInt32:
      static_cast<int32_t*>(data)[i] = static_cast<int32_t>(value);
      return;
    case Type::kInt64:
      static_cast<int64_t*>(data)[i] = static_cast<int64_t>(value);
      return;
    case Type::kInt8:
      static_cast<int8_t*>(data)[i] = static_cast<int8_t>(static_cast<int32_t>(value));
      return;
    case Type::kUint8:
      static_cast<uint8_t*>(data)[i] = static_cast<uint8_t>(static_cast<int32_t>(value));
      return;
    case Type::kBool:
      static_cast<uint8_t*>(data)[i] = value != C(0) ? 1 : 0;
      return;
  }
}

// The typed forms, for kernels that are made for each float type.
__device__ __forceinline__ float ToFloat(float x) { return x; }
__device__ __forceinline__ float ToFloat(__half x) { return __half2float(x); }
__device__ __forceinline__ float ToFloat(__nv_bfloat16 x) { return __bfloat162float(x); }
template <typename T>
__device__ __forceinline__ T FromFloat(float x);
template <>
__device__ __forceinline__ float FromFloat<float>(float x) {
  return x;
}
template <>
__device__ __forceinline__ __half FromFloat<__half>(float x) {
  return __float2half_rn(x);
}
template <>
__device__ __forceinline__ __nv_bfloat16 FromFloat<__nv_bfloat16>(float x) {
  return __float2bfloat16_rn(x);
}

// The sum or maximum over a warp, in every lane.
__device__ __forceinline__ float WarpSum(float x) {
  for (int offset = 16; offset > 0; offset /= 2) x += __shfl_xor_sync(0xffffffffu, x, offset);
  return x;
}
__device__ __forceinline__ float WarpMax(float x) {
  for (int offset = 16; offset > 0; offset /= 2) {
    x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, offset));
  }
  return x;
}

// Over a block of whole warps, in every thread. `shared` holds 32 floats and may be used again only
// after the next __syncthreads().
__device__ __forceinline__ float BlockSum(float x, float* shared) {
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  x = WarpSum(x);
  if (lane == 0) shared[warp] = x;
  __syncthreads();
  const int warps = blockDim.x / 32;
  return WarpSum(lane < warps ? shared[lane] : 0.0f);
}
__device__ __forceinline__ float BlockMax(float x, float* shared) {
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  x = WarpMax(x);
  if (lane == 0) shared[warp] = x;
  __syncthreads();
  const int warps = blockDim.x / 32;
  return WarpMax(lane < warps ? shared[lane] : -INFINITY);
}

// Calls `body` with a null pointer to the float type that `type` names. False for other types.
template <typename Body>
bool WithFloatType(Type type, Body body) {
  switch (type) {
    case Type::kFloat32:
      body(static_cast<float*>(nullptr));
      return true;
    case Type::kFloat16:
      body(static_cast<__half*>(nullptr));
      return true;
    case Type::kBfloat16:
      body(static_cast<__nv_bfloat16*>(nullptr));
      return true;
    default:
      return false;
  }
}

}  // namespace inferd::cuda
