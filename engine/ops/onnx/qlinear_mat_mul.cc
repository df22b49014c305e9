#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/cast.h"
#include "engine/ops/integer_matmul.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/quantization.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kA, kAScale, kAZero, kB, kBScale, kBZero, kYScale, kYZero };

absl::Status Infer(InferContext& context) {
  for (int i : {kA, kB, kYZero}) {
    RETURN_IF_ERROR(
        CheckInputType(context, i,
                       {DType::kInt8, DType::kUint8, DType::kFloat8E4m3fn, DType::kFloat8E4m3fnuz,
                        DType::kFloat8E5m2, DType::kFloat8E5m2fnuz}));
  }
  RETURN_IF_ERROR(CheckSameTypes(context, {kA, kAZero}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kB, kBZero}));
  ASSIGN_OR_RETURN(MatMulShape shape, ResolveMatMul(context.shape(kA), context.shape(kB)));
  context.SetOutput(0, context.dtype(kYZero), std::move(shape.output));
  return absl::OkStatus();
}

bool IsFloat8(DType dtype) {
  return dtype == DType::kFloat8E4m3fn || dtype == DType::kFloat8E4m3fnuz ||
         dtype == DType::kFloat8E5m2 || dtype == DType::kFloat8E5m2fnuz;
}

absl::StatusOr<Tensor> ToFloats(const Tensor& tensor) {
  ASSIGN_OR_RETURN(Tensor floats, Tensor::Allocate(DType::kFloat32, tensor.shape()));
  RETURN_IF_ERROR(CastElements(tensor, &floats));
  return floats;
}

// Elements less their zero point: one for all, or one for each of `size` rows or columns, element
// i being of number i / stride % size.
absl::StatusOr<std::vector<double>> RealOperand(const Tensor& matrix, const Tensor& zero_point,
                                                int64_t stride, int64_t size) {
  ASSIGN_OR_RETURN(const Tensor values, ToFloats(matrix));
  ASSIGN_OR_RETURN(const Tensor zeros, ToFloats(zero_point));
  const int64_t given = zeros.num_elements();
  if (given != 1 && (given != size || size == 0)) {
    return absl::InvalidArgumentError(absl::StrCat("zero point has shape ",
                                                   zeros.shape().ToString(), " for matrix ",
                                                   matrix.shape().ToString()));
  }
  std::vector<double> result;
  for (int64_t i = 0; i < values.num_elements(); ++i) {
    result.push_back(values.data<float>()[i] - zeros.data<float>()[i / stride % given]);
  }
  return result;
}

// The product of matrices less their zero points: exact for integers, real where one is a float8.
absl::StatusOr<std::vector<double>> Product(const KernelContext& context,
                                            const MatMulShape& shape) {
  const Tensor& a = context.input(kA);
  const Tensor& b = context.input(kB);
  if (!IsFloat8(a.dtype()) && !IsFloat8(b.dtype())) {
    ASSIGN_OR_RETURN(const std::vector<uint32_t> sums,
                     IntegerMatMul(shape, a, &context.input(kAZero), b, &context.input(kBZero)));
    return SignedSums(sums);
  }
  const int64_t m = shape.m.value, n = shape.n.value, k = shape.k.value;
  ASSIGN_OR_RETURN(const std::vector<double> left,
                   RealOperand(a, context.input(kAZero), std::max<int64_t>(k, 1), m));
  ASSIGN_OR_RETURN(const std::vector<double> right, RealOperand(b, context.input(kBZero), 1, n));
  std::vector<double> product(shape.output.ToShape().num_elements());
  const MatrixOffsets offsets = StackOffsets(shape, a.shape(), b.shape());
  for (size_t i = 0; i < offsets.a.size(); ++i) {
    AddMatrixProduct(m, n, k, left.data() + offsets.a[i], right.data() + offsets.b[i],
                     product.data() + static_cast<int64_t>(i) * m * n);
  }
  return product;
}

absl::Status StoreQuantized(const std::vector<double>& values, double scale, const Tensor& zero,
                            Tensor* y) {
  if (IsFloat8(y->dtype())) {
    ASSIGN_OR_RETURN(const Tensor zeros, ToFloats(zero));
    ASSIGN_OR_RETURN(Tensor floats, Tensor::Allocate(DType::kFloat32, y->shape()));
    for (size_t i = 0; i < values.size(); ++i) {
      floats.mutable_data<float>()[i] =
          static_cast<float>(values[i] / scale) + zeros.data<float>()[0];
    }
    return CastElements(floats, y);
  }
  ASSIGN_OR_RETURN(const IntegerRange range, QuantizedRange(y->dtype()));
  ASSIGN_OR_RETURN(const std::vector<int64_t> zeros, ReadZeroPoints(&zero, 1));
  for (size_t i = 0; i < values.size(); ++i) {
    const float value = static_cast<float>(values[i] / scale);
    y->mutable_data<uint8_t>()[i] = static_cast<uint8_t>(QuantizeValue(value, zeros[0], range));
  }
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& y_zero = context.input(kYZero);
  ASSIGN_OR_RETURN(const MatMulShape shape,
                   ResolveMatMul(context.input(kA).shape(), context.input(kB).shape()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, y_zero.dtype(), shape.output.ToShape()));
  if (y->num_elements() == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::vector<double> sums, Product(context, shape));
  ASSIGN_OR_RETURN(
      const std::vector<double> values,
      ScaledSums(shape, std::move(sums), context.input(kAScale), context.input(kBScale)));
  ASSIGN_OR_RETURN(const std::vector<double> y_scales, ToDoubles(context.input(kYScale)));
  if (y_scales.size() != 1 || y_zero.num_elements() != 1) {
    return absl::InvalidArgumentError("y_scale or y_zero_point is no single value");
  }
  return StoreQuantized(values, y_scales[0], y_zero, y);
}

}  // namespace

OpDef QlinearMatMul() {
  return {.name = "QLinearMatMul",
          .since = 21,
          .min_inputs = 8,
          .max_inputs = 8,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
