#include "engine/runtime/executor.h"

#include <chrono>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/runtime/body_runner.h"
#include "engine/runtime/control_flow.h"
#include "engine/runtime/step_cost.h"

namespace inferd {

Executor::Executor(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {
  table_.resize(plan_->values.size());
  for (size_t id = 0; id < table_.size(); ++id) {
    const ValueStorage& storage = plan_->values[id];
    table_[id] = storage.tensor;
    const auto value = static_cast<ValueId>(id);
    if (storage.kind == StorageKind::kDynamic) dynamic_values_.push_back(value);
    if (storage.kind != StorageKind::kInput) continue;
    const bool known = storage.tensor.dtype() != DType::kInvalid;
    (known ? input_values_ : passed_values_).push_back(value);
  }
  steps_.resize(plan_->steps.size());
  for (size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = plan_->steps[s];
    for (ValueId id : step.inputs) {
      steps_[s].inputs.push_back(id == kNoValue ? nullptr : &table_[id]);
    }
    for (ValueId id : step.outputs) {
      steps_[s].outputs.push_back(id == kNoValue ? nullptr : &table_[id]);
    }
    for (const auto& [name, body] : step.bodies) {
      steps_[s].bodies.push_back(std::make_unique<BodyRunner>(body));
    }
  }
}

Executor::~Executor() = default;

absl::Status Executor::Run(CoreSlot& slot, absl::Span<const Tensor> inputs,
                           std::vector<Tensor>* outputs) {
  absl::Status status = RunSteps(slot, inputs);
  if (status.ok()) {
    outputs->clear();
    for (ValueId id : plan_->outputs) outputs->push_back(table_[id]);
  }
  Release();
  return status;
}

absl::Status Executor::RunSteps(CoreSlot& slot, absl::Span<const Tensor> inputs) {
  RETURN_IF_ERROR(Bind(slot, inputs));
  for (size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = plan_->steps[s];
    const absl::Status status = RunStep(step, steps_[s], slot);
    if (!status.ok()) return Annotate(status, step.name);
  }
  return absl::OkStatus();
}

absl::Status Executor::RunProfiled(CoreSlot& slot, absl::Span<const Tensor> inputs,
                                   ModelProfile* profile) {
  std::vector<StepTime> times;
  times.reserve(steps_.size());
  absl::Status status = Bind(slot, inputs);
  if (status.ok()) status = TimeSteps(slot, &times);
  if (status.ok()) {
    // Tensors of unknown shape have theirs only now.
    if (profile->runs.empty()) profile->steps = DescribeSteps();
    profile->runs.push_back(std::move(times));
  }
  Release();
  return status;
}

absl::Status Executor::TimeSteps(CoreSlot& slot, std::vector<StepTime>* times) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  Clock::time_point before = begin;
  for (size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = plan_->steps[s];
    const absl::Status status = RunStep(step, steps_[s], slot);
    if (!status.ok()) return Annotate(status, step.name);
    const Clock::time_point after = Clock::now();
    times->push_back({absl::FromChrono(before - begin), absl::FromChrono(after - before)});
    before = after;
  }
  return absl::OkStatus();
}

std::vector<StepProfile> Executor::DescribeSteps() const {
  std::vector<StepProfile> profiles;
  for (size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = plan_->steps[s];
    const StepState& state = steps_[s];
    StepProfile profile;
    profile.name = step.name;
    profile.op = std::string(step.op->name);
    profile.provider = step.provider;
    profile.kernel = step.kernel == nullptr ? "control flow" : step.kernel->description();
    if (!state.outputs.empty() && state.outputs[0] != nullptr) {
      profile.output = state.outputs[0]->TypeString();
    }
    profile.flops = StepFlops(step, state.inputs, state.outputs);
    profile.bytes = StepBytes(step, state.inputs, state.outputs);
    profiles.push_back(std::move(profile));
  }
  return profiles;
}

absl::Status Executor::Bind(CoreSlot& slot, absl::Span<const Tensor> inputs) {
  std::byte* arena = slot.Arena(plan_->arena_bytes);
  if (arena == nullptr && plan_->arena_bytes > 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("out of memory for an arena of ", plan_->arena_bytes, " bytes"));
  }
  BindInputs(inputs);
  if (arena != arena_) BindArena(arena);
  return absl::OkStatus();
}

absl::Status Executor::RunStep(const Step& step, StepState& state, CoreSlot& slot) {
  if (step.kernel == nullptr) {
    return RunControlFlow(step, state.inputs, absl::MakeSpan(state.outputs), state.bodies, slot);
  }
  return step.kernel->Run({state.inputs, absl::MakeSpan(state.outputs),
                           arena_ + plan_->scratch_offset, slot.threads()});
}

void Executor::BindInputs(absl::Span<const Tensor> inputs) {
  for (ValueId id : passed_values_) table_[id] = inputs[plan_->values[id].input];
  for (ValueId id : input_values_) {
    table_[id].Rebind(const_cast<void*>(inputs[plan_->values[id].input].raw()));
  }
}

void Executor::BindArena(std::byte* arena) {
  arena_ = arena;
  for (size_t id = 0; id < table_.size(); ++id) {
    const ValueStorage& storage = plan_->values[id];
    if (storage.kind == StorageKind::kArena) table_[id].Rebind(arena + storage.offset);
  }
}

void Executor::Release() {
  for (const auto* values : {&passed_values_, &dynamic_values_}) {
    for (ValueId id : *values) table_[id] = Tensor();
  }
}

}  // namespace inferd
