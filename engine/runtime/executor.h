#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/core/tensor.h"
#include "engine/plan/plan.h"
#include "engine/runtime/core_slots.h"
#include "engine/runtime/profile.h"

namespace inferd {

class BodyRunner;
class DeviceContext;
class DeviceGraph;

// Runs one plan, one execution at a time, on a borrowed core slot. Holds the table of the plan's
// values, so that a run only points it at this request's inputs and this slot's arena. On devices
// it has a queue and an arena of its own, made by the first run and, after an error other than
// INVALID_ARGUMENT, by the next one; neighbouring steps there become one recorded graph once they
// have run a few times. Used by one thread at a time.
class Executor {
 public:
  explicit Executor(std::shared_ptr<const Plan> plan);
  ~Executor();

  // `inputs` match the plan's input types. `outputs` may point into the slot's arena, the inputs or
  // the constants; they are valid until the slot's next run. Errors name the step.
  absl::Status Run(CoreSlot& slot, absl::Span<const Tensor> inputs, std::vector<Tensor>* outputs);

  // A run whose outputs are dropped and whose times are added to `profile`; the first one also
  // describes the steps.
  absl::Status RunProfiled(CoreSlot& slot, absl::Span<const Tensor> inputs, ModelProfile* profile);

  // The same in parts, for bodies that run many times: the outputs stay in the table until Release,
  // which must follow, also after an error.
  absl::Status RunSteps(CoreSlot& slot, absl::Span<const Tensor> inputs);
  const Tensor& output(int i) const { return table_[plan_->outputs[i]]; }
  void Release();

  const Plan& plan() const { return *plan_; }

 private:
  // What a step gets: pointers into table_, and what runs its bodies.
  struct StepState {
    std::vector<const Tensor*> inputs;
    std::vector<Tensor*> outputs;
    std::vector<std::unique_ptr<BodyRunner>> bodies;
  };

  // One of the plan's devices. The arena goes after the context, which waits for its work.
  struct DeviceState {
    std::shared_ptr<void> arena;
    std::unique_ptr<DeviceContext> context;
    std::byte* scratch = nullptr;
  };

  // Neighbouring kernel steps [begin, end) on one device.
  struct Segment {
    size_t begin = 0;
    size_t end = 0;
    int device = 0;
    bool refused = false;  // the device records no graph of it
    std::unique_ptr<DeviceGraph> graph;
  };

  // Points the table at this run's arena and inputs.
  absl::Status Bind(CoreSlot& slot, absl::Span<const Tensor> inputs);
  void BindInputs(absl::Span<const Tensor> inputs);
  void BindArena(std::byte* arena);
  absl::Status MakeDeviceStates();
  absl::Status WaitForDevices();
  // After an error: contexts go unless it was the values' fault.
  void SettleDevices(const absl::Status& error);
  void DropDevices();
  void FindSegments();
  absl::Status TimeSteps(CoreSlot& slot, std::vector<StepTime>* times);
  std::vector<StepProfile> DescribeSteps() const;
  absl::Status RunStep(const Step& step, StepState& state, CoreSlot& slot);
  absl::Status RunDeviceStep(const Step& step, StepState& state, CoreSlot& slot);
  absl::Status RunSegment(Segment& segment, CoreSlot& slot);
  absl::Status RunSegmentSteps(const Segment& segment, CoreSlot& slot);

  const std::shared_ptr<const Plan> plan_;
  std::vector<Tensor> table_;  // by ValueId
  std::vector<StepState> steps_;
  std::vector<DeviceState> devices_;     // empty until a run needs them
  std::vector<Segment> segments_;        // in order; their graphs go before the contexts
  int device_runs_ = 0;                  // since the contexts were made
  std::vector<ValueId> input_values_;    // inputs of known type and their views
  std::vector<ValueId> passed_values_;   // inputs that are only known when they come
  std::vector<ValueId> dynamic_values_;  // made while running
  std::byte* arena_ = nullptr;           // what table_ points into now
};

}  // namespace inferd
