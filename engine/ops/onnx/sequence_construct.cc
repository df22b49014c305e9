#include <utility>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/sequence.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  ValueType element = context.input_type(0);
  for (int i = 1; i < context.num_inputs(); ++i) {
    if (!context.has_input(i)) return absl::InvalidArgumentError("an input is absent");
    if (context.dtype(i) != context.dtype(0)) {
      return absl::InvalidArgumentError(absl::StrCat("inputs of types ",
                                                     context.input_type(0).ToString(), " and ",
                                                     context.input_type(i).ToString()));
    }
    element = CommonType(element, context.input_type(i));
  }
  context.SetOutput(0, ValueType::OfSequence(std::move(element)));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  std::vector<Tensor> elements;
  for (int i = 0; i < context.num_inputs(); ++i) {
    // Inputs may lie in storage that is reused after this step.
    ASSIGN_OR_RETURN(Tensor element, context.input(i).Clone());
    elements.push_back(std::move(element));
  }
  return context.SetOutput(0, Tensor::Sequence(std::move(elements)));
}

}  // namespace

OpDef SequenceConstruct() {
  return {.name = "SequenceConstruct",
          .since = 11,
          .min_inputs = 1,
          .max_inputs = kVariadic,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
