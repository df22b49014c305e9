#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/sequence.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  context.SetOutput(0, ElementType(context.input_type(0)));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  RETURN_IF_ERROR(CheckSequence(context, 0));
  const std::vector<Tensor>& elements = context.input(0).elements();
  ASSIGN_OR_RETURN(const int64_t position,
                   SequencePosition(context, 1, static_cast<int64_t>(elements.size()), 0, false));
  return SetToCopy(context, elements[position]);
}

}  // namespace

OpDef SequenceAt() {
  return {.name = "SequenceAt",
          .since = 11,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
