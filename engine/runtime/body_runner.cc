#include "engine/runtime/body_runner.h"

namespace inferd {
namespace {

bool IsBoundTo(const Plan& plan, absl::Span<const Tensor> arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Tensor& planned = plan.values[plan.inputs[i]].tensor;
    if (arguments[i].kind() != ValueKind::kTensor || arguments[i].dtype() != planned.dtype() ||
        arguments[i].shape() != planned.shape()) {
      return false;
    }
  }
  return true;
}

}  // namespace

absl::Status BodyRunner::Run(absl::Span<const Tensor> arguments, CoreSlot& slot) {
  running_ = &Choose(arguments);
  absl::Status status = running_->RunSteps(slot.Nested(), arguments);
  if (!status.ok()) running_->Release();
  return status;
}

Executor& BodyRunner::Choose(absl::Span<const Tensor> arguments) {
  if (bound_ != nullptr && IsBoundTo(bound_->plan(), arguments)) return *bound_;
  if (std::shared_ptr<const Plan> plan = body_->FindBound(arguments)) {
    bound_ = std::make_unique<Executor>(std::move(plan));
    return *bound_;
  }
  if (any_ == nullptr) any_ = std::make_unique<Executor>(body_->any_plan());
  return *any_;
}

bool BodyRunner::IsKept(int i) const {
  const Plan& plan = running_->plan();
  const StorageKind kind = plan.values[plan.outputs[i]].kind;
  return kind != StorageKind::kArena && kind != StorageKind::kInput;
}

}  // namespace inferd
