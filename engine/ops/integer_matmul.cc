#include "engine/ops/integer_matmul.h"

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/normalization.h"
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

// The scale of each of `count` rows or columns of the product.
absl::StatusOr<std::vector<double>> Scales(const Tensor& tensor, int64_t count) {
  ASSIGN_OR_RETURN(std::vector<double> scales, ToDoubles(tensor));
  if (scales.size() == 1) return std::vector<double>(count, scales[0]);
  if (count == 0 || scales.empty() || static_cast<int64_t>(scales.size()) % count != 0) {
    return absl::InvalidArgumentError(absl::StrCat("scale has shape ", tensor.shape().ToString(),
                                                   ", expected 1 or ", count, " elements"));
  }
  return scales;
}

absl::Status CheckBias(const Tensor& bias, DType dtype, int64_t columns) {
  if (bias.dtype() == dtype && bias.num_elements() == columns) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("bias is ", bias.TypeString(), ", expected ",
                                                 DTypeName(dtype), "[", columns, "]"));
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

absl::StatusOr<std::vector<double>> ScaledSums(const MatMulShape& shape,
                                               const std::vector<uint32_t>& sums,
                                               const Tensor& a_scale, const Tensor& b_scale) {
  const int64_t m = shape.m.value, n = shape.n.value;
  ASSIGN_OR_RETURN(const std::vector<double> a_scales, Scales(a_scale, m));
  ASSIGN_OR_RETURN(const std::vector<double> b_scales, Scales(b_scale, n));
  std::vector<double> values(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    const int64_t at = static_cast<int64_t>(i);
    const size_t row = static_cast<size_t>(at / n) % a_scales.size();
    const size_t column = static_cast<size_t>(at / (m * n) * n + at % n) % b_scales.size();
    values[i] =
        static_cast<double>(static_cast<int32_t>(sums[i])) * a_scales[row] * b_scales[column];
  }
  return values;
}

absl::Status StoreRealProduct(KernelContext& context, const QuantizedOperands& operands,
                              DType dtype) {
  ASSIGN_OR_RETURN(const MatMulShape shape,
                   ResolveMatMul(operands.a->shape(), operands.b->shape()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, shape.output.ToShape()));
  if (y->num_elements() == 0) return absl::OkStatus();
  const int64_t n = shape.n.value;
  if (operands.bias != nullptr) RETURN_IF_ERROR(CheckBias(*operands.bias, dtype, n));
  ASSIGN_OR_RETURN(
      const std::vector<uint32_t> sums,
      IntegerMatMul(shape, *operands.a, operands.a_zero, *operands.b, operands.b_zero));
  ASSIGN_OR_RETURN(const std::vector<double> values,
                   ScaledSums(shape, sums, *operands.a_scale, *operands.b_scale));
  return DispatchTypes<float, Float16>(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* bias = operands.bias == nullptr ? nullptr : operands.bias->data<T>();
    for (size_t i = 0; i < values.size(); ++i) {
      const float added = bias == nullptr ? 0.0f : static_cast<float>(bias[i % n]);
      y->mutable_data<T>()[i] = static_cast<T>(static_cast<float>(values[i]) + added);
    }
    return absl::OkStatus();
  });
}

absl::Status CheckColumnParameter(const InferContext& context, int i, const Dim& columns) {
  if (!context.has_input(i) || !context.shape(i).IsConcrete() || !columns.known()) {
    return absl::OkStatus();
  }
  const Shape shape = context.shape(i).ToShape();
  const int64_t count = shape.num_elements();
  if (count == 1 || (columns.value > 0 ? count % columns.value == 0 && count > 0 : count == 0)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("input ", i, " has shape ", shape.ToString(),
                                                 ", expected 1 or ", columns.value, " elements"));
}

}  // namespace inferd
