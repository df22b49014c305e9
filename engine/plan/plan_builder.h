#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "config/engine_config.h"
#include "engine/plan/plan.h"

namespace inferd {

class DeviceWeights;
class KernelChoices;
class WeightStore;

// What a plan is built with.
struct PlanOptions {
  absl::Span<const std::unique_ptr<ExecutionProvider>> providers;
  WeightStore* weights = nullptr;
  DeviceWeights* device_weights = nullptr;  // needed where a provider has a device
  const KernelChoices* choices = nullptr;   // null: as the providers think best
  int threads = 1;
  int64_t max_arena_bytes = 0;           // also what any one dynamic tensor may take
  const EngineConfig* config = nullptr;  // which passes bound bodies get; null: none
};

// The plan of a bound graph after its passes: each node goes to the device that the partition put
// it on, or to the first provider in host memory that supports it, else to the portable kernel;
// kernels are prepared; values that cross between memories are copied, once; values get offsets.
// Nodes whose shapes are only known while running become dynamic steps. RESOURCE_EXHAUSTED when an
// arena would be too large.
absl::StatusOr<std::shared_ptr<const Plan>> BuildPlan(const Graph& graph,
                                                      const PlanOptions& options);

// The plan of a body of If, Loop or Scan: every step is dynamic.
absl::StatusOr<std::shared_ptr<const Plan>> BuildBodyPlan(const Graph& graph,
                                                          const PlanOptions& options);

}  // namespace inferd
