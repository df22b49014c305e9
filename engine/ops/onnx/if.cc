#include "engine/core/status_macros.h"
#include "engine/ops/body_type.h"
#include "engine/ops/op_def.h"
#include "engine/ops/sequence.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputsPresent(context.node(), 0));
  ASSIGN_OR_RETURN(const Graph* then_branch, FindBody(context.node(), "then_branch"));
  ASSIGN_OR_RETURN(const Graph* else_branch, FindBody(context.node(), "else_branch"));
  const size_t outputs = context.num_outputs();
  if (then_branch->outputs().size() < outputs || else_branch->outputs().size() < outputs) {
    return absl::InvalidArgumentError(
        absl::StrCat("the branches have ", then_branch->outputs().size(), " and ",
                     else_branch->outputs().size(), " outputs, the node ", outputs));
  }
  for (int i = 0; i < context.num_outputs(); ++i) {
    const ValueType a = BodyOutputType(*then_branch, i);
    const ValueType b = BodyOutputType(*else_branch, i);
    if (a.kind == b.kind && a.dtype != b.dtype && a.dtype != DType::kInvalid &&
        b.dtype != DType::kInvalid) {
      return absl::InvalidArgumentError(absl::StrCat("output ", i, " is ", a.ToString(),
                                                     " in one branch and ", b.ToString(),
                                                     " in the other"));
    }
    context.SetOutput(i, CommonType(a, b));
  }
  return absl::OkStatus();
}

}  // namespace

OpDef If() {
  return {.name = "If",
          .since = 25,
          .min_inputs = 1,
          .max_inputs = kVariadic,
          .max_outputs = kVariadic,
          .attributes = {{"then_branch", AttributeKind::kGraph, true},
                         {"else_branch", AttributeKind::kGraph, true}},
          .op_class = OpClass::kControlFlow,
          .infer = Infer};
}

}  // namespace inferd::ops::onnx
