#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/sequence.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  const ValueType& input = context.input_type(0);
  context.SetOutput(0, input.kind == ValueKind::kOptional ? ElementType(input) : input);
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& input = context.input(0);
  if (input.kind() != ValueKind::kOptional) return SetToCopy(context, input);
  if (input.elements().empty()) return absl::InvalidArgumentError("the optional is empty");
  return SetToCopy(context, input.elements()[0]);
}

}  // namespace

OpDef OptionalGetElement() {
  return {.name = "OptionalGetElement", .since = 28, .infer = Infer, .compute = Compute};
}

}  // namespace inferd::ops::onnx
