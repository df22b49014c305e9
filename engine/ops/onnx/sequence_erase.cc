#include <utility>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/sequence.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  RETURN_IF_ERROR(CheckSequence(context, 0));
  std::vector<Tensor> elements = context.input(0).elements();
  const auto size = static_cast<int64_t>(elements.size());
  if (size == 0) return absl::InvalidArgumentError("the sequence is empty");
  ASSIGN_OR_RETURN(const int64_t position, SequencePosition(context, 1, size, size - 1, false));
  elements.erase(elements.begin() + position);
  return context.SetOutput(0, Tensor::Sequence(std::move(elements)));
}

}  // namespace

OpDef SequenceErase() {
  return {.name = "SequenceErase",
          .since = 11,
          .min_inputs = 1,
          .max_inputs = 2,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
