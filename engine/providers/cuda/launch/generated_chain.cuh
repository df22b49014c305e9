#pragma once

#include "engine/providers/cuda/launch/element_access.cuh"
#include "engine/providers/cuda/launch/elementwise_math.cuh"

// What kernels that are generated from elementwise programs are made of: a thread works on `kCount`
// elements of the output that lie together. For NVRTC, which sees no header of CUDA's or the
// system's.
namespace inferd::cuda {

template <Type kType>
struct StoredAs;
template <>
struct StoredAs<Type::kFloat32> {
  using T = float;
};
template <>
struct StoredAs<Type::kFloat16> {
  using T = __half;
};
template <>
struct StoredAs<Type::kBfloat16> {
  using T = __nv_bfloat16;
};
template <>
struct StoredAs<Type::kFloat64> {
  using T = double;
};
template <>
struct StoredAs<Type::kInt32> {
  using T = int32_t;
};
template <>
struct StoredAs<Type::kInt64> {
  using T = int64_t;
};
template <>
struct StoredAs<Type::kInt8> {
  using T = int8_t;
};
template <>
struct StoredAs<Type::kUint8> {
  using T = uint8_t;
};
template <>
struct StoredAs<Type::kBool> {
  using T = uint8_t;
};

// Moved by as few instructions as there are; the widest are of 16 bytes.
template <typename T, int kCount>
struct alignas(sizeof(T) * kCount < 16 ? sizeof(T) * kCount : 16) Pack {
  T at[kCount];
};

// Elements first, first + 1, ...; `first` is a multiple of kCount.
template <typename Number, Type kType, int kCount>
__device__ __forceinline__ void LoadTogether(const void* data, int64_t first, Number* values) {
  using T = typename StoredAs<kType>::T;
  const Pack<T, kCount> pack =
      *reinterpret_cast<const Pack<T, kCount>*>(static_cast<const T*>(data) + first);
#pragma unroll
  for (int u = 0; u < kCount; ++u) values[u] = Load<Number>(pack.at, kType, u);
}

// Elements first, first + step, ...
template <typename Number, Type kType, int kCount>
__device__ __forceinline__ void LoadApart(const void* data, int64_t first, int64_t step,
                                          Number* values) {
#pragma unroll
  for (int u = 0; u < kCount; ++u) values[u] = Load<Number>(data, kType, first + u * step);
}

// The same element for all.
template <typename Number, Type kType, int kCount>
__device__ __forceinline__ void LoadOne(const void* data, int64_t at, Number* values) {
  const Number value = Load<Number>(data, kType, at);
#pragma unroll
  for (int u = 0; u < kCount; ++u) values[u] = value;
}

template <typename Number, Type kType, int kCount>
__device__ __forceinline__ void StoreTogether(void* data, int64_t first, const Number* values) {
  using T = typename StoredAs<kType>::T;
  Pack<T, kCount> pack;
#pragma unroll
  for (int u = 0; u < kCount; ++u) Store<Number>(pack.at, kType, u, values[u]);
  *reinterpret_cast<Pack<T, kCount>*>(static_cast<T*>(data) + first) = pack;
}

}  // namespace inferd::cuda
