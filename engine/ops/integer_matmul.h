#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/ops/matmul.h"

namespace inferd {

// The product of 8-bit matrix stacks less their zero points, as wrapped 32-bit sums in row-major
// order of shape.output. Zero points are null, scalar, one a row of A, or one a column of B (as a
// vector or with the stack's dimensions). INVALID_ARGUMENT for other zero points or types.
absl::StatusOr<std::vector<uint32_t>> IntegerMatMul(const MatMulShape& shape, const Tensor& a,
                                                    const Tensor* a_zero, const Tensor& b,
                                                    const Tensor* b_zero);

}  // namespace inferd
