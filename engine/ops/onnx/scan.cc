#include "engine/core/status_macros.h"
#include "engine/ops/body_type.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

// Inputs: states, scan inputs, captured values. Body outputs: states, one slice of each scan
// output.
absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputsPresent(context.node(), 0));
  ASSIGN_OR_RETURN(const Graph* body, FindBody(context.node(), "body"));
  const int outputs = context.num_outputs();
  if (static_cast<int>(body->outputs().size()) != outputs ||
      static_cast<int>(body->inputs().size()) != context.num_inputs()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the body has ", body->inputs().size(), " inputs and ", body->outputs().size(),
                     " outputs, expected ", context.num_inputs(), " and ", outputs));
  }
  for (int i = 0; i < outputs; ++i) {
    context.SetOutput(i, WithoutShape(BodyOutputType(*body, i)));
  }
  return absl::OkStatus();
}

}  // namespace

OpDef Scan() {
  return {.name = "Scan",
          .since = 25,
          .min_inputs = 1,
          .max_inputs = kVariadic,
          .max_outputs = kVariadic,
          .attributes = {{"body", AttributeKind::kGraph, true},
                         {"num_scan_inputs", AttributeKind::kInt, true},
                         {"scan_input_axes", AttributeKind::kInts},
                         {"scan_input_directions", AttributeKind::kInts},
                         {"scan_output_axes", AttributeKind::kInts},
                         {"scan_output_directions", AttributeKind::kInts}},
          .op_class = OpClass::kControlFlow,
          .infer = Infer};
}

}  // namespace inferd::ops::onnx
