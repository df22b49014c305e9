#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/integer_matmul.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/quantization.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kA, kAScale, kAZero, kB, kBScale, kBZero, kYScale, kYZero };

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(MatMulShape shape, ResolveMatMul(context.shape(kA), context.shape(kB)));
  context.SetOutput(0, context.dtype(kYZero), std::move(shape.output));
  return absl::OkStatus();
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

absl::Status Compute(KernelContext& context) {
  const Tensor& a = context.input(kA);
  const Tensor& b = context.input(kB);
  const DType dtype = context.input(kYZero).dtype();
  ASSIGN_OR_RETURN(const IntegerRange range, QuantizedRange(dtype));
  ASSIGN_OR_RETURN(const MatMulShape shape, ResolveMatMul(a.shape(), b.shape()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, shape.output.ToShape()));
  if (y->num_elements() == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<uint32_t> product,
                   IntegerMatMul(shape, a, &context.input(kAZero), b, &context.input(kBZero)));
  const int64_t m = shape.m.value, n = shape.n.value;
  const int64_t rows = y->num_elements() / n;
  ASSIGN_OR_RETURN(const std::vector<double> a_scales, Scales(context.input(kAScale), m));
  ASSIGN_OR_RETURN(const std::vector<double> b_scales, Scales(context.input(kBScale), n));
  ASSIGN_OR_RETURN(const std::vector<double> y_scales, Scales(context.input(kYScale), 1));
  ASSIGN_OR_RETURN(const std::vector<int64_t> y_zeros, ReadZeroPoints(&context.input(kYZero), 1));
  for (int64_t i = 0; i < rows * n; ++i) {
    const size_t row = static_cast<size_t>(i / n) % a_scales.size();
    const size_t column = b_scales.size() == static_cast<size_t>(n)
                              ? i % n
                              : (i / (m * n) * n + i % n) % b_scales.size();
    const double value = static_cast<double>(static_cast<int32_t>(product[i])) * a_scales[row] *
                         b_scales[column] / y_scales[0];
    y->mutable_data<uint8_t>()[i] =
        static_cast<uint8_t>(QuantizeValue(static_cast<float>(value), y_zeros[0], range));
  }
  return absl::OkStatus();
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
