#include "engine/core/status_macros.h"
#include "engine/ops/nested_op.h"
#include "engine/ops/op_def.h"
#include "engine/ops/quantized_value.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kX, kXScale, kXZero, kYScale, kYZero };
constexpr QuantizedInput kData{kX, kXScale, kXZero};

int64_t AxisOf(const Attributes& attributes) { return attributes.Int("axis", -1); }

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckQuantizedInput(context, kData));
  if (context.shape(kX).has_rank()) {
    RETURN_IF_ERROR(NormalizeAxis(AxisOf(context.attributes()), context.shape(kX).rank()).status());
  }
  return SetQuantizedOutput(context, kYScale, kYZero, context.dtype(kX), context.shape(kX));
}

// Attribute `opset` says which Softmax is meant: before 13 all dimensions from the axis on are one.
absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(Tensor data, Dequantize(context, kData));
  const Shape shape = data.shape();
  const bool flattens = context.attributes().Int("opset", 13) < 13;
  Attributes attributes;
  attributes.Set("axis", flattens ? -1 : AxisOf(context.attributes()));
  if (flattens) {
    ASSIGN_OR_RETURN(const int axis, NormalizeAxis(AxisOf(context.attributes()), shape.rank()));
    data = data.Reshaped({shape.Product(0, axis), shape.Product(axis, shape.rank())});
  }
  ASSIGN_OR_RETURN(const Tensor result,
                   ComputeNested("Softmax", attributes, {&data}, context.limit_bytes()));
  return StoreQuantized(context, result.Reshaped(shape), kYScale, kYZero,
                        context.input(kX).dtype());
}

}  // namespace

OpDef QlinearSoftmax() {
  return {.domain = "com.microsoft",
          .name = "QLinearSoftmax",
          .min_inputs = 2,
          .max_inputs = 5,
          .attributes = {{"axis", AttributeKind::kInt}, {"opset", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
