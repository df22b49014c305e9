#include "engine/core/status_macros.h"
#include "engine/ops/body_type.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

// Inputs: trip count, condition, carried values, captured values. Body outputs: condition, carried
// values, one slice of each scan output.
absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputsPresent(context.node(), 2));
  ASSIGN_OR_RETURN(const Graph* body, FindBody(context.node(), "body"));
  const int outputs = context.num_outputs();
  if (static_cast<int>(body->outputs().size()) != outputs + 1 ||
      static_cast<int>(body->inputs().size()) != context.num_inputs()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the body has ", body->inputs().size(), " inputs and ", body->outputs().size(),
                     " outputs, expected ", context.num_inputs(), " and ", outputs + 1));
  }
  // A carried value's shape may change with every iteration.
  for (int i = 0; i < outputs; ++i) {
    context.SetOutput(i, WithoutShape(BodyOutputType(*body, i + 1)));
  }
  return absl::OkStatus();
}

}  // namespace

OpDef Loop() {
  return {.name = "Loop",
          .since = 25,
          .min_inputs = 0,  // both the trip count and the condition may be absent
          .max_inputs = kVariadic,
          .min_outputs = 0,
          .max_outputs = kVariadic,
          .attributes = {{"body", AttributeKind::kGraph, true}},
          .op_class = OpClass::kControlFlow,
          .infer = Infer};
}

}  // namespace inferd::ops::onnx
