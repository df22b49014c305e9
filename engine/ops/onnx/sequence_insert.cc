#include <utility>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/sequence.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  const ValueType& sequence = context.input_type(0);
  ValueType element = context.input_type(1);
  if (sequence.element != nullptr) element = CommonType(*sequence.element, element);
  context.SetOutput(0, ValueType::OfSequence(std::move(element)));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  RETURN_IF_ERROR(CheckSequence(context, 0));
  std::vector<Tensor> elements = context.input(0).elements();
  const Tensor& added = context.input(1);
  if (!elements.empty() && elements[0].dtype() != added.dtype()) {
    return absl::InvalidArgumentError(absl::StrCat("cannot insert ", added.TypeString(),
                                                   " into a sequence of ",
                                                   DTypeName(elements[0].dtype())));
  }
  const auto size = static_cast<int64_t>(elements.size());
  ASSIGN_OR_RETURN(const int64_t position, SequencePosition(context, 2, size, size, true));
  // The input may lie in storage that is reused after this step.
  ASSIGN_OR_RETURN(Tensor copy, added.Clone());
  elements.insert(elements.begin() + position, std::move(copy));
  return context.SetOutput(0, Tensor::Sequence(std::move(elements)));
}

}  // namespace

OpDef SequenceInsert() {
  return {.name = "SequenceInsert",
          .since = 11,
          .min_inputs = 2,
          .max_inputs = 3,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
