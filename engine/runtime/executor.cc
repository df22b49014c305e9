#include "engine/runtime/executor.h"

#include "engine/core/status_macros.h"
#include "engine/runtime/control_flow.h"

namespace inferd {
namespace {

absl::Status RunStep(const Step& step, absl::Span<const Tensor* const> inputs,
                     absl::Span<Tensor* const> outputs, void* scratch, int threads) {
  absl::Status status;
  if (step.kernel) {
    status = step.kernel->Run({inputs, outputs, scratch, threads});
  } else {
    status = RunControlFlow(step, inputs, outputs, threads);
  }
  return status.ok() ? status : Annotate(status, step.name);
}

}  // namespace

Executor::Executor(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {
  table_.resize(plan_->values.size());
  for (size_t id = 0; id < table_.size(); ++id) {
    const ValueStorage& storage = plan_->values[id];
    table_[id] = storage.tensor;
    if (storage.kind == StorageKind::kInput) input_values_.push_back(static_cast<ValueId>(id));
    if (storage.kind == StorageKind::kDynamic) dynamic_values_.push_back(static_cast<ValueId>(id));
  }
  steps_.resize(plan_->steps.size());
  for (size_t s = 0; s < steps_.size(); ++s) {
    for (ValueId id : plan_->steps[s].inputs) {
      steps_[s].inputs.push_back(id == kNoValue ? nullptr : &table_[id]);
    }
    for (ValueId id : plan_->steps[s].outputs) {
      steps_[s].outputs.push_back(id == kNoValue ? nullptr : &table_[id]);
    }
  }
}

absl::Status Executor::Run(CoreSlot& slot, absl::Span<const Tensor> inputs,
                           std::vector<Tensor>* outputs) {
  std::byte* arena = slot.Arena(plan_->arena_bytes);
  if (arena == nullptr && plan_->arena_bytes > 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("out of memory for an arena of ", plan_->arena_bytes, " bytes"));
  }
  BindInputs(inputs);
  if (arena != arena_) BindArena(arena);
  std::byte* scratch = arena + plan_->scratch_offset;
  absl::Status status;
  for (size_t s = 0; s < steps_.size() && status.ok(); ++s) {
    status = RunStep(plan_->steps[s], steps_[s].inputs, absl::MakeSpan(steps_[s].outputs), scratch,
                     slot.threads());
  }
  if (status.ok()) {
    outputs->clear();
    for (ValueId id : plan_->outputs) outputs->push_back(table_[id]);
  }
  DropDynamicValues();
  return status;
}

void Executor::BindInputs(absl::Span<const Tensor> inputs) {
  for (ValueId id : input_values_) {
    const Tensor& input = inputs[plan_->values[id].input];
    if (table_[id].dtype() == DType::kInvalid || input.kind() != ValueKind::kTensor) {
      table_[id] = input;
    } else {
      table_[id].Rebind(const_cast<void*>(input.raw()));
    }
  }
}

void Executor::BindArena(std::byte* arena) {
  arena_ = arena;
  for (size_t id = 0; id < table_.size(); ++id) {
    const ValueStorage& storage = plan_->values[id];
    if (storage.kind == StorageKind::kArena) table_[id].Rebind(arena + storage.offset);
  }
}

void Executor::DropDynamicValues() {
  for (ValueId id : dynamic_values_) table_[id] = Tensor();
}

absl::StatusOr<std::vector<Tensor>> RunBody(const Plan& plan, absl::Span<const Tensor> inputs,
                                            int threads) {
  std::vector<Tensor> table(plan.values.size());
  for (size_t id = 0; id < table.size(); ++id) table[id] = plan.values[id].tensor;
  for (size_t i = 0; i < plan.inputs.size(); ++i) table[plan.inputs[i]] = inputs[i];
  std::vector<const Tensor*> step_inputs;
  std::vector<Tensor*> step_outputs;
  for (const Step& step : plan.steps) {
    step_inputs.clear();
    step_outputs.clear();
    for (ValueId id : step.inputs) step_inputs.push_back(id == kNoValue ? nullptr : &table[id]);
    for (ValueId id : step.outputs) step_outputs.push_back(id == kNoValue ? nullptr : &table[id]);
    RETURN_IF_ERROR(RunStep(step, step_inputs, absl::MakeSpan(step_outputs), nullptr, threads));
  }
  std::vector<Tensor> outputs;
  for (ValueId id : plan.outputs) outputs.push_back(table[id]);
  return outputs;
}

}  // namespace inferd
