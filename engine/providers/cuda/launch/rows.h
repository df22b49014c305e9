#pragma once

#include "engine/providers/cuda/launch/types.h"

// Kernels over rows: an index over [outer, length, inner], along `length`.
namespace inferd::cuda {

struct RowShape {
  int64_t outer = 1;
  int64_t length = 1;
  int64_t inner = 1;
};

// x and y are of the same float type. `log`: the logarithm of the softmax.
void LaunchSoftmax(const void* x, void* y, Type type, const RowShape& shape, bool log,
                   Stream stream);

// y = (x - mean) / sqrt(variance + epsilon) * scale + bias over rows of `length`, inner being 1; by
// root mean square, without mean, where `centred` is false. Scale and bias have `length` elements
// of their own types; bias may be null.
struct NormRequest {
  const void* x = nullptr;
  void* y = nullptr;
  Type type = Type::kFloat32;  // of x
  Type y_type = Type::kFloat32;
  const void* scale = nullptr;
  Type scale_type = Type::kFloat32;
  const void* bias = nullptr;
  Type bias_type = Type::kFloat32;
  int64_t rows = 0;
  int64_t length = 0;
  float epsilon = 1e-5f;
  bool centred = true;
};
void LaunchNorm(const NormRequest& request, Stream stream);

enum class Reduction : uint8_t { kSum, kMean, kMax, kMin, kProd, kL1, kL2, kSumSquare, kLogSumExp };

// y[kept] = reduction over `reduced` of x, which lies at the strides; y is dense in the order of
// `kept`. Float types.
struct ReduceRequest {
  const void* x = nullptr;
  void* y = nullptr;
  Type type = Type::kFloat32;
  Reduction reduction = Reduction::kSum;
  Dims kept;
  Strides kept_strides;
  Dims reduced;
  Strides reduced_strides;
};
void LaunchReduce(const ReduceRequest& request, Stream stream);

}  // namespace inferd::cuda
