#include <type_traits>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

// The value in whichever attribute holds it.
absl::StatusOr<Tensor> Value(const Attributes& attributes) {
  if (const Tensor* value = attributes.TensorOrNull("value")) return *value;
  if (attributes.Has("value_float")) return Tensor::Scalar(attributes.Float("value_float", 0));
  if (attributes.Has("value_int")) return Tensor::Scalar(attributes.Int("value_int", 0));
  if (attributes.Has("value_string")) return Tensor::Scalar(attributes.String("value_string", ""));
  const auto list = [](const auto& values) {
    using T = typename std::decay_t<decltype(values)>::value_type;
    return Tensor::FromValues<T>(Shape({static_cast<int64_t>(values.size())}), values);
  };
  if (attributes.Has("value_floats")) return list(attributes.Floats("value_floats"));
  if (attributes.Has("value_ints")) return list(attributes.Ints("value_ints"));
  if (attributes.Has("value_strings")) return list(attributes.Strings("value_strings"));
  return absl::InvalidArgumentError("no attribute holds a value");
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const Tensor value, Value(context.attributes()));
  context.SetOutput(0, value.dtype(), value.shape());
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const Tensor value, Value(context.attributes()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, value.dtype(), value.shape()));
  CopyElements(value, 0, y, 0, value.num_elements());
  return absl::OkStatus();
}

}  // namespace

OpDef Constant() {
  return {.name = "Constant",
          .since = 25,
          .min_inputs = 0,
          .max_inputs = 0,
          .attributes = {{"value", AttributeKind::kTensor},
                         {"value_float", AttributeKind::kFloat},
                         {"value_floats", AttributeKind::kFloats},
                         {"value_int", AttributeKind::kInt},
                         {"value_ints", AttributeKind::kInts},
                         {"value_string", AttributeKind::kString},
                         {"value_strings", AttributeKind::kStrings}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
