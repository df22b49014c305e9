#pragma once

#include <cstdint>

struct CUstream_st;

// What launchers and kernels share with the host code around them. These headers include neither
// CUDA's nor Abseil's, so that both compilers read them quickly.
namespace inferd::cuda {

// A cudaStream_t, whose header is not needed to pass it on.
using Stream = ::CUstream_st*;

// Element types as kernels load and store them.
enum class Type : uint8_t {
  kFloat32,
  kFloat16,
  kBfloat16,
  kFloat64,
  kInt32,
  kInt64,
  kInt8,
  kUint8,
  kBool,
};

// In what an elementwise program computes.
enum class Arithmetic : uint8_t { kFloat, kDouble, kInteger };

inline constexpr int kMaxDims = 8;

// Dense or broadcast elements by coordinates: strides in elements, 0 where a coordinate does not
// matter. Outer dimensions first.
struct Strides {
  int64_t at[kMaxDims] = {};
};

struct Dims {
  int rank = 0;
  int64_t size[kMaxDims] = {};
};

}  // namespace inferd::cuda
