#include "engine/runtime/executor.h"

#include <algorithm>
#include <chrono>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/op_cost.h"
#include "engine/providers/device.h"
#include "engine/runtime/body_runner.h"
#include "engine/runtime/control_flow.h"

namespace inferd {
namespace {

// Libraries load code and choose algorithms in the first runs, which cannot be recorded.
constexpr int kEagerRuns = 2;

}  // namespace

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
  FindSegments();
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
  auto segment = segments_.begin();
  for (size_t s = 0; s < steps_.size();) {
    const Step& step = plan_->steps[s];
    absl::Status status;
    if (segment != segments_.end() && segment->begin == s) {
      status = RunSegment(*segment, slot);
      s = segment++->end;
    } else {
      status = Annotate(RunStep(step, steps_[s], slot), step.name);
      ++s;
    }
    if (!status.ok()) {
      SettleDevices(status);
      return status;
    }
  }
  return WaitForDevices();
}

absl::Status Executor::RunProfiled(CoreSlot& slot, absl::Span<const Tensor> inputs,
                                   ModelProfile* profile) {
  std::vector<StepTime> times;
  times.reserve(steps_.size());
  absl::Status status = Bind(slot, inputs);
  if (status.ok()) status = TimeSteps(slot, &times);
  if (!status.ok()) SettleDevices(status);
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
    absl::Status status = RunStep(step, steps_[s], slot);
    if (status.ok() && step.device >= 0) status = WaitForDevices();
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
    const OpUse use = {*step.op, step.attributes, step.num_op_inputs, state.inputs, state.outputs};
    profile.flops = OpFlops(use);
    profile.bytes = OpBytes(use);
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
  if (devices_.size() != plan_->devices.size()) RETURN_IF_ERROR(MakeDeviceStates());
  if (!devices_.empty()) device_runs_ = std::min(device_runs_ + 1, kEagerRuns + 1);
  BindInputs(inputs);
  if (arena != arena_) BindArena(arena);
  return absl::OkStatus();
}

absl::Status Executor::RunStep(const Step& step, StepState& state, CoreSlot& slot) {
  if (step.waits) RETURN_IF_ERROR(WaitForDevices());
  if (step.kernel == nullptr) {
    return RunControlFlow(step, state.inputs, absl::MakeSpan(state.outputs), state.bodies, slot);
  }
  if (step.device >= 0) return RunDeviceStep(step, state, slot);
  return step.kernel->Run({.inputs = state.inputs,
                           .outputs = absl::MakeSpan(state.outputs),
                           .scratch = arena_ + plan_->scratch_offset,
                           .threads = slot.threads(),
                           .input_step = step.input_step,
                           .output_step = step.output_step});
}

absl::Status Executor::RunDeviceStep(const Step& step, StepState& state, CoreSlot& slot) {
  const DeviceState& device = devices_[step.device];
  return step.kernel->Run({.inputs = state.inputs,
                           .outputs = absl::MakeSpan(state.outputs),
                           .scratch = device.scratch,
                           .threads = slot.threads(),
                           .device = device.context.get()});
}

absl::Status Executor::MakeDeviceStates() {
  std::vector<DeviceState> states;
  for (const PlanDevice& planned : plan_->devices) {
    DeviceState state;
    const int64_t bytes = std::max<int64_t>(planned.arena_bytes, 1);
    ASSIGN_OR_RETURN(state.arena, planned.device->Allocate(bytes));
    ASSIGN_OR_RETURN(state.context, planned.device->MakeContext());
    state.scratch = static_cast<std::byte*>(state.arena.get()) + planned.scratch_offset;
    states.push_back(std::move(state));
  }
  devices_ = std::move(states);
  for (size_t id = 0; id < table_.size(); ++id) {
    const ValueStorage& storage = plan_->values[id];
    if (storage.kind != StorageKind::kArena || storage.device < 0) continue;
    auto* arena = static_cast<std::byte*>(devices_[storage.device].arena.get());
    table_[id].Rebind(arena + storage.offset);
  }
  return absl::OkStatus();
}

absl::Status Executor::WaitForDevices() {
  absl::Status error;
  bool usable = true;
  for (const DeviceState& device : devices_) {
    const absl::Status status = device.context->Wait();
    usable = usable && (status.ok() || absl::IsInvalidArgument(status));
    error.Update(status);
  }
  if (!usable) DropDevices();
  return error;
}

// What is on its way must not arrive in the arena of another run.
void Executor::SettleDevices(const absl::Status& error) {
  if (absl::IsInvalidArgument(error)) {
    WaitForDevices().IgnoreError();
  } else {
    DropDevices();
  }
}

void Executor::DropDevices() {
  // Graphs go when nothing runs them.
  for (const DeviceState& device : devices_) device.context->Wait().IgnoreError();
  for (Segment& segment : segments_) segment.graph.reset();
  devices_.clear();
  device_runs_ = 0;
}

void Executor::FindSegments() {
  for (size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = plan_->steps[s];
    const bool alone = step.device < 0 || step.waits || step.op->name == "Copy";
    if (alone) continue;
    if (!segments_.empty() && segments_.back().end == s && segments_.back().device == step.device) {
      segments_.back().end = s + 1;
    } else {
      segments_.push_back({s, s + 1, step.device});
    }
  }
}

absl::Status Executor::RunSegment(Segment& segment, CoreSlot& slot) {
  if (segment.graph == nullptr && !segment.refused && device_runs_ > kEagerRuns) {
    auto graph =
        devices_[segment.device].context->Record([&] { return RunSegmentSteps(segment, slot); });
    if (graph.ok()) {
      segment.graph = *std::move(graph);
    } else if (absl::IsUnimplemented(graph.status()) || absl::IsResourceExhausted(graph.status())) {
      segment.refused = true;
    } else {
      return graph.status();
    }
  }
  return segment.graph != nullptr ? segment.graph->Launch() : RunSegmentSteps(segment, slot);
}

absl::Status Executor::RunSegmentSteps(const Segment& segment, CoreSlot& slot) {
  for (size_t s = segment.begin; s < segment.end; ++s) {
    const absl::Status status = RunDeviceStep(plan_->steps[s], steps_[s], slot);
    if (!status.ok()) return Annotate(status, plan_->steps[s].name);
  }
  return absl::OkStatus();
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
    if (storage.kind != StorageKind::kArena || storage.device >= 0) continue;
    table_[id].Rebind(arena + storage.offset);
  }
}

void Executor::Release() {
  for (const auto* values : {&passed_values_, &dynamic_values_}) {
    for (ValueId id : *values) table_[id] = Tensor();
  }
}

}  // namespace inferd
