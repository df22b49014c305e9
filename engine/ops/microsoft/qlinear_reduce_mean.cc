#include "engine/core/status_macros.h"
#include "engine/ops/nested_op.h"
#include "engine/ops/op_def.h"
#include "engine/ops/quantized_value.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kX, kXScale, kXZero, kYScale, kYZero };
constexpr QuantizedInput kData{kX, kXScale, kXZero};

// ReduceMean takes the axes as an input.
Tensor Axes(const Attributes& attributes) {
  const std::vector<int64_t>& axes = attributes.Ints("axes");
  return Tensor::FromValues<int64_t>(Shape{static_cast<int64_t>(axes.size())},
                                     absl::MakeConstSpan(axes));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckQuantizedInput(context, kData));
  const Tensor axes = Axes(context.attributes());
  const ValueType data = ValueType::OfTensor(DType::kFloat32, context.shape(kX));
  const ValueType list = ValueType::OfTensor(DType::kInt64, axes.shape());
  ASSIGN_OR_RETURN(ValueType result, InferNested("ReduceMean", context.attributes(), {&data, &list},
                                                 {nullptr, &axes}));
  return SetQuantizedOutput(context, kYScale, kYZero, context.dtype(kX), std::move(result.shape));
}

absl::Status Compute(KernelContext& context) {
  const Tensor axes = Axes(context.attributes());
  ASSIGN_OR_RETURN(const Tensor data, Dequantize(context, kData));
  ASSIGN_OR_RETURN(const Tensor result, ComputeNested("ReduceMean", context.attributes(),
                                                      {&data, &axes}, context.limit_bytes()));
  return StoreQuantized(context, result, kYScale, kYZero, context.input(kX).dtype());
}

}  // namespace

OpDef QlinearReduceMean() {
  return {.domain = "com.microsoft",
          .name = "QLinearReduceMean",
          .min_inputs = 2,
          .max_inputs = 5,
          .attributes = {{"axes", AttributeKind::kInts}, {"keepdims", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
