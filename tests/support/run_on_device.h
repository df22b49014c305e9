#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "engine/passes/passes.h"
#include "engine/plan/binder.h"
#include "engine/plan/device_weights.h"
#include "engine/plan/plan_builder.h"
#include "engine/runtime/executor.h"
#include "gtest/gtest.h"
#include "tests/support/fake_device.h"

namespace inferd::testing {

// Plans graphs for a fake device, with the portable kernels for the rest. Used by one thread.
class DevicePlanner {
 public:
  explicit DevicePlanner(FakeDeviceProvider::Takes takes = nullptr) {
    providers_.push_back(std::make_unique<FakeDeviceProvider>(std::move(takes)));
    config_.providers = {"fake"};
  }

  FakeDevice& device() { return static_cast<FakeDeviceProvider&>(*providers_[0]).fake(); }
  DeviceWeights& weights() { return weights_; }

  std::shared_ptr<const Plan> PlanOf(const Graph& graph, const std::vector<Shape>& shapes) {
    Graph bound = BindShapes(graph, shapes).value();
    EXPECT_TRUE(PartitionDevices(bound, {config_, providers_}).ok());
    PlanOptions options;
    options.providers = providers_;
    options.device_weights = &weights_;
    options.max_arena_bytes = int64_t{1} << 30;
    auto plan = BuildPlan(bound, options);
    EXPECT_TRUE(plan.ok()) << plan.status();
    return *plan;
  }

 private:
  EngineConfig config_;
  std::vector<std::unique_ptr<ExecutionProvider>> providers_;
  DeviceWeights weights_;  // goes before the device
};

// How many steps copy a value.
inline int64_t CountCopies(const Plan& plan) {
  return std::count_if(plan.steps.begin(), plan.steps.end(),
                       [](const Step& step) { return step.op->name == "Copy"; });
}

}  // namespace inferd::testing
