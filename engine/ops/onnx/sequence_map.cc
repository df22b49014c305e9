#include "engine/core/status_macros.h"
#include "engine/ops/body_type.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

// Inputs: a sequence, further sequences or tensors, captured values. The body takes one element of
// each sequence and the rest whole; its outputs become the elements of the node's.
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
  if (const ValueType& first = context.input_type(0);
      first.kind != ValueKind::kSequence &&
      !(first.is_tensor() && first.dtype == DType::kInvalid)) {
    return absl::InvalidArgumentError(
        absl::StrCat("input 0 is a ", first.ToString(), ", expected a sequence"));
  }
  for (int i = 0; i < outputs; ++i) {
    context.SetOutput(i, ValueType::OfSequence(WithoutShape(BodyOutputType(*body, i))));
  }
  return absl::OkStatus();
}

}  // namespace

OpDef SequenceMap() {
  return {.name = "SequenceMap",
          .since = 17,
          .min_inputs = 1,
          .max_inputs = kVariadic,
          .max_outputs = kVariadic,
          .attributes = {{"body", AttributeKind::kGraph, true}},
          .op_class = OpClass::kControlFlow,
          .infer = Infer};
}

}  // namespace inferd::ops::onnx
