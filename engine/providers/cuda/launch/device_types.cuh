#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "engine/providers/cuda/launch/element_access.cuh"
#include "engine/providers/cuda/launch/types.h"

// Elements as numbers, and sums over blocks; for .cu files.
namespace inferd::cuda {

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
