#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  context.SetOutput(0, DType::kBool, SymbolicShape::Scalar());
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kBool, Shape()));
  const bool is_optional = context.has_input(0) && context.input(0).kind() == ValueKind::kOptional;
  *y->mutable_data<bool>() =
      is_optional ? !context.input(0).elements().empty() : context.has_input(0);
  return absl::OkStatus();
}

}  // namespace

OpDef OptionalHasElement() {
  return {.name = "OptionalHasElement",
          .since = 28,
          .min_inputs = 0,
          .max_inputs = 1,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
