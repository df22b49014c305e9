#include "tests/engine/passes/fusion_test_support.h"

#include <algorithm>

#include "engine/plan/weight_store.h"
#include "engine/providers/providers.h"
#include "gtest/gtest.h"

namespace inferd::testing {
namespace {

int64_t CountSteps(const Plan& plan, absl::string_view op) {
  return std::count_if(plan.steps.begin(), plan.steps.end(),
                       [&](const Step& step) { return step.op->name == op; });
}

}  // namespace

void ExpectSameOnTheProcessor(const Graph& graph, const Tensor& input, int threads,
                              const std::vector<std::string>& ops, float tolerance) {
  EngineConfig config;
  config.optimization_level = "all";
  config.threads_per_slot = threads;
  const auto providers = MakeProviders(config).value();
  Graph bound = BindShapes(graph, {input.shape()}).value();
  const auto passes = RunPasses(BoundPasses(), bound, {config, providers});
  ASSERT_TRUE(passes.ok()) << passes.status();
  WeightStore weights;
  PlanOptions options;
  options.providers = providers;
  options.weights = &weights;
  options.threads = threads;
  options.max_arena_bytes = int64_t{1} << 30;
  options.config = &config;
  const auto plan = BuildPlan(bound, options);
  ASSERT_TRUE(plan.ok()) << plan.status();
  for (const std::string& op : ops) {
    EXPECT_EQ(CountSteps(**plan, op), 1) << op << " in\n" << (*plan)->ToString();
  }
  Executor executor(*plan);
  CoreSlot slot(threads);
  std::vector<Tensor> outputs;
  const absl::Status status = executor.Run(slot, {input}, &outputs);
  ASSERT_TRUE(status.ok()) << status;
  const std::vector<Tensor> expected = RunPortable(graph, {input});
  ASSERT_EQ(outputs.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) ExpectNear(outputs[i], expected[i], tolerance);
}

}  // namespace inferd::testing
