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
  ASSIGN_OR_RETURN(const std::vector<double> values,
                   ScaledSums(shape, product, context.input(kAScale), context.input(kBScale)));
  ASSIGN_OR_RETURN(const std::vector<double> y_scales, ToDoubles(context.input(kYScale)));
  if (y_scales.size() != 1) return absl::InvalidArgumentError("y_scale is no single value");
  ASSIGN_OR_RETURN(const std::vector<int64_t> y_zeros, ReadZeroPoints(&context.input(kYZero), 1));
  for (size_t i = 0; i < values.size(); ++i) {
    const float value = static_cast<float>(values[i] / y_scales[0]);
    y->mutable_data<uint8_t>()[i] = static_cast<uint8_t>(QuantizeValue(value, y_zeros[0], range));
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
