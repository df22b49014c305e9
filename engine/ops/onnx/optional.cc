#include <utility>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  context.SetOutput(
      0, ValueType::OfOptional(context.has_input(0) ? context.input_type(0) : ValueType()));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  if (!context.has_input(0)) return context.SetOutput(0, Tensor::Optional({}));
  // The input may lie in storage that is reused after this step.
  ASSIGN_OR_RETURN(Tensor value, context.input(0).Clone());
  return context.SetOutput(0, Tensor::Optional({std::move(value)}));
}

}  // namespace

OpDef Optional() {
  return {.name = "Optional",
          .since = 28,
          .min_inputs = 0,
          .max_inputs = 1,
          .attributes = {{"type", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
