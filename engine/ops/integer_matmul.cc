#include "engine/ops/integer_matmul.h"

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/quantization.h"

namespace inferd {
namespace {

absl::Status Check8Bits(const Tensor& tensor) {
  if (tensor.dtype() == DType::kInt8 || tensor.dtype() == DType::kUint8) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("element type ", DTypeName(tensor.dtype()), ", expected int8 or uint8"));
}

// One row or column of every matrix takes zero point i / stride % size.
absl::StatusOr<std::vector<uint32_t>> Operand(const Tensor& matrix, const Tensor* zero_point,
                                              int64_t stride, int64_t size) {
  RETURN_IF_ERROR(Check8Bits(matrix));
  const int64_t given = zero_point == nullptr ? 1 : zero_point->num_elements();
  // A zero point may also be given for every matrix of the stack.
  const int64_t all = stride == 1 || size == 0 ? size : matrix.num_elements() / stride;
  if (given != 1 && given != size && given != all) {
    return absl::InvalidArgumentError(absl::StrCat("zero point has shape ",
                                                   zero_point->shape().ToString(), " for matrix ",
                                                   matrix.shape().ToString()));
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> zeros, ReadZeroPoints(zero_point, given));
  return Centered(matrix, zeros, stride, given == all ? all : size);
}

}  // namespace

absl::StatusOr<std::vector<uint32_t>> IntegerMatMul(const MatMulShape& shape, const Tensor& a,
                                                    const Tensor* a_zero, const Tensor& b,
                                                    const Tensor* b_zero) {
  const int64_t m = shape.m.value, n = shape.n.value, k = shape.k.value;
  ASSIGN_OR_RETURN(const std::vector<uint32_t> left,
                   Operand(a, a_zero, std::max<int64_t>(k, 1), m));
  ASSIGN_OR_RETURN(const std::vector<uint32_t> right, Operand(b, b_zero, 1, n));
  std::vector<uint32_t> product(shape.output.ToShape().num_elements());
  if (product.empty()) return product;
  const MatrixOffsets offsets = StackOffsets(shape, a.shape(), b.shape());
  for (size_t i = 0; i < offsets.a.size(); ++i) {
    AddMatrixProduct(m, n, k, left.data() + offsets.a[i], right.data() + offsets.b[i],
                     product.data() + static_cast<int64_t>(i) * m * n);
  }
  return product;
}

}  // namespace inferd
