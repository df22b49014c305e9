#include "engine/providers/portable/portable_kernel.h"

#include <algorithm>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd {
namespace {

// A step's operands: x in place, its other operand, and the bounds of a Clip as tensors.
std::vector<const Tensor*> StepInputs(const EpilogueStep& step, const Tensor* x,
                                      const Tensor* operand, std::vector<Tensor>* bounds) {
  if (operand != nullptr) {
    return step.operand_first ? std::vector<const Tensor*>{operand, x}
                              : std::vector<const Tensor*>{x, operand};
  }
  std::vector<const Tensor*> inputs = {x};
  bounds->reserve(2);
  for (absl::string_view name : {"min", "max"}) {
    if (step.op->name != "Clip") break;
    if (step.attributes.Has(name)) {
      bounds->push_back(Tensor::Scalar<float>(step.attributes.Float(name, 0)));
      inputs.push_back(&bounds->back());
    } else {
      inputs.push_back(nullptr);
    }
  }
  return inputs;
}

bool AllEmpty(absl::Span<Tensor* const> outputs) {
  return std::all_of(outputs.begin(), outputs.end(), [](const Tensor* output) {
    return output == nullptr || output->num_elements() == 0;
  });
}

}  // namespace

PortableKernel::PortableKernel(const Node& node, bool planned, int64_t limit_bytes)
    : op_(*node.op),
      attributes_(node.attributes),
      epilogue_(node.epilogue),
      num_op_inputs_(node.num_op_inputs()),
      planned_(planned),
      limit_bytes_(limit_bytes) {}

absl::Status PortableKernel::Run(const StepContext& context) const {
  // A huge dimension beside one of 0 would still be walked by most kernels.
  if (planned_ && AllEmpty(context.outputs)) return absl::OkStatus();
  KernelContext kernel(attributes_, context.inputs.subspan(0, num_op_inputs_), context.outputs,
                       planned_, limit_bytes_);
  RETURN_IF_ERROR(op_.compute(kernel));
  return epilogue_.empty() ? absl::OkStatus() : RunEpilogue(context);
}

absl::Status PortableKernel::RunEpilogue(const StepContext& context) const {
  for (const EpilogueStep& step : epilogue_) {
    // The kernel reads a snapshot, so that an operand that broadcasts sees unchanged values.
    ASSIGN_OR_RETURN(const Tensor x, context.outputs[0]->Clone());
    const Tensor* operand = step.operand < 0 ? nullptr : context.inputs[step.operand];
    std::vector<Tensor> bounds;
    const std::vector<const Tensor*> inputs = StepInputs(step, &x, operand, &bounds);
    Tensor* output = context.outputs[0];
    KernelContext kernel(step.attributes, inputs, absl::MakeSpan(&output, 1), true, limit_bytes_);
    RETURN_IF_ERROR(step.op->compute(kernel));
  }
  return absl::OkStatus();
}

}  // namespace inferd
