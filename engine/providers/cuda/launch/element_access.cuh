#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "engine/providers/cuda/launch/types.h"

// Loads and stores of elements whose type is known only while running, or folded where it is a
// constant; for device code, also that of NVRTC.
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

}  // namespace inferd::cuda
