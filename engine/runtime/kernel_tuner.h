#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/graph/graph.h"
#include "engine/plan/kernel_choices.h"
#include "engine/providers/execution_provider.h"
#include "engine/runtime/core_slots.h"

namespace inferd {

class StepOperands;
class WeightStore;

// One way to run a step, and how long a run of it took: the lower quartile of several.
struct CandidateTime {
  std::string name;
  absl::Duration time;
};

// What measuring one step gave.
struct TunedStep {
  std::string node;
  std::vector<CandidateTime> candidates;  // those measured to the end; the provider's own first
  std::string chosen;
  bool changed = false;  // another one than the provider's own
};

// Measures the ways in which providers can run the steps of a bound graph, on idle core slots, over
// buffers of its own: between two runs the caches are emptied of weights, since a model's other
// steps would have done so, and the activations are touched. A candidate that computes something
// else than the provider's own is never chosen. Steps on devices are run and timed there, a few
// runs in a row. Used by one thread at a time.
class KernelTuner {
 public:
  struct Environment {
    absl::Span<const std::unique_ptr<ExecutionProvider>> providers;
    KernelChoices* choices = nullptr;
    CoreSlots* slots = nullptr;
    std::function<bool()> stop;  // asked often; true ends the measuring
    int threads = 1;
    // What the model has packed, so that it is not packed again to be measured; null: nothing.
    const WeightStore* weights = nullptr;
  };

  explicit KernelTuner(Environment environment) : environment_(std::move(environment)) {}

  // Measures the steps that `choices` does not know yet and enters the fastest candidates there. A
  // step is measured to its end or not at all; none is begun once `budget`, time on a core, is used
  // up. What was used is taken off it. Needs a RecoverySet::Reading where constants are
  // recoverable. Errors are those of preparing and running.
  absl::StatusOr<std::vector<TunedStep>> Tune(const Graph& bound, absl::Duration* budget);

 private:
  struct Contender;

  bool stopping() const { return environment_.stop && environment_.stop(); }
  ExecutionProvider* ProviderOf(const Graph& graph, const Node& node) const;
  // Runs `work` when a slot is idle. False when stopped before.
  bool OnIdleSlot(absl::FunctionRef<void(CoreSlot& slot)> work);
  // None where there is nothing to choose, or when stopped.
  absl::StatusOr<std::optional<TunedStep>> TuneNode(const Graph& graph, const Node& node,
                                                    ExecutionProvider& provider,
                                                    absl::string_view key);
  absl::Status PrepareAll(const Graph& graph, const Node& node, ExecutionProvider& provider,
                          const std::vector<std::string>& names,
                          std::vector<Contender>* contenders);
  // Runs each contender once; those that fail or compute something else go.
  absl::Status Compare(StepOperands& operands, std::vector<Contender>* contenders);
  absl::Status Race(StepOperands& operands, std::vector<Contender>* contenders);
  absl::Status RunOnce(StepOperands& operands, Contender& contender);

  const Environment environment_;
  absl::Duration used_;
  bool stopped_ = false;
  std::vector<char> cold_;  // read to empty the caches
};

// "12 steps measured in 0.81 s, 3 of them run faster another way".
std::string TuningSummary(absl::Span<const TunedStep> steps, absl::Duration used);
// A line for each step that runs another way than by rule: "conv1: winograd 4 0.210 ms, direct
// 0.333 ms".
std::string TuningTable(absl::Span<const TunedStep> steps);

}  // namespace inferd
