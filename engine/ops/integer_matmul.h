#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"
#include "engine/ops/matmul.h"

namespace inferd {

// The product of 8-bit matrix stacks less their zero points, as wrapped 32-bit sums in row-major
// order of shape.output. Zero points are null, scalar, one a row of A, or one a column of B (as a
// vector or with the stack's dimensions). INVALID_ARGUMENT for other zero points or types.
absl::StatusOr<std::vector<uint32_t>> IntegerMatMul(const MatMulShape& shape, const Tensor& a,
                                                    const Tensor* a_zero, const Tensor& b,
                                                    const Tensor* b_zero);

// What the sums stand for: each times the scale of its row (one value, or one a row of A) and of
// its column (one value, one a column of B, or one a column of each matrix of the stack).
absl::StatusOr<std::vector<double>> ScaledSums(const MatMulShape& shape,
                                               const std::vector<uint32_t>& sums,
                                               const Tensor& a_scale, const Tensor& b_scale);

// 8-bit matrices with their scales and zero points; null where absent.
struct QuantizedOperands {
  const Tensor* a;
  const Tensor* a_scale;
  const Tensor* a_zero;
  const Tensor* b;
  const Tensor* b_scale;
  const Tensor* b_zero;
  const Tensor* bias;  // [n], of the output's type
};
// Output 0 = the real product plus the bias, in `dtype` (float32 or float16).
absl::Status StoreRealProduct(KernelContext& context, const QuantizedOperands& operands,
                              DType dtype);

// For shape rules: input `i`, where present, holds one value or one for each of the `columns` of B
// (of each of its matrices). INVALID_ARGUMENT else.
absl::Status CheckColumnParameter(const InferContext& context, int i, const Dim& columns);

}  // namespace inferd
