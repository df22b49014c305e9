#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/core/tensor.h"
#include "engine/plan/plan.h"
#include "engine/runtime/core_slots.h"

namespace inferd {

// Runs one plan, one execution at a time, on a borrowed core slot. Holds the table of the plan's
// values, so that a run only points it at this request's inputs and this slot's arena.
// Used by one thread at a time.
class Executor {
 public:
  explicit Executor(std::shared_ptr<const Plan> plan);

  // `inputs` match the plan's input types. `outputs` may point into the slot's arena, the inputs or
  // the constants; they are valid until the slot's next run. Errors name the step.
  absl::Status Run(CoreSlot& slot, absl::Span<const Tensor> inputs, std::vector<Tensor>* outputs);

  const Plan& plan() const { return *plan_; }

 private:
  // The pointers a step's kernel gets, into table_.
  struct StepTensors {
    std::vector<const Tensor*> inputs;
    std::vector<Tensor*> outputs;
  };

  void BindInputs(absl::Span<const Tensor> inputs);
  void BindArena(std::byte* arena);
  void DropDynamicValues();

  const std::shared_ptr<const Plan> plan_;
  std::vector<Tensor> table_;  // by ValueId
  std::vector<StepTensors> steps_;
  std::vector<ValueId> input_values_;    // inputs and their views
  std::vector<ValueId> dynamic_values_;
  std::byte* arena_ = nullptr;  // what table_ points into now
};

// Runs the body of a control flow step: every value is dynamic.
absl::StatusOr<std::vector<Tensor>> RunBody(const Plan& plan, absl::Span<const Tensor> inputs,
                                            int threads);

}  // namespace inferd
