#pragma once

#include "engine/passes/passes.h"
#include "tests/support/fake_device.h"
#include "tests/support/fake_provider.h"
#include "tests/support/graph_builder.h"
#include "tests/support/run_graph.h"

namespace inferd::testing {

// Runs one pass as the pipeline does and returns how many changes it made.
inline int RunPass(absl::StatusOr<int> (*pass)(Graph&, const PassContext&), Graph& graph,
                   const FakePassContext& context = FakePassContext()) {
  const Pass entry{"pass", PassLevel::kAlways, pass};
  const auto results = RunPasses({&entry, 1}, graph, context.get());
  EXPECT_TRUE(results.ok()) << results.status();
  return results.ok() ? results->front().changes : -1;
}

// Checks that the pass changes the graph `changes` times and keeps its answers on `inputs`.
inline void ExpectSameAnswers(absl::StatusOr<int> (*pass)(Graph&, const PassContext&), Graph& graph,
                              const std::vector<Tensor>& inputs, int changes,
                              const FakePassContext& context = FakePassContext()) {
  const std::vector<Tensor> before = RunPortable(graph, inputs);
  EXPECT_EQ(RunPass(pass, graph, context), changes);
  const std::vector<Tensor> after = RunPortable(graph, inputs);
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) ExpectNear(after[i], before[i], 1e-5f);
}

// A device that takes what `takes` accepts, before a host provider that takes everything.
inline FakePassContext DeviceFirst(FakeDeviceProvider::Takes takes) {
  FakePassContext context;
  context.providers.push_back(std::make_unique<FakeDeviceProvider>(std::move(takes)));
  context.providers.push_back(
      std::make_unique<FakeProvider>([](const Graph&, const Node&) { return true; },
                                     [](const Node&) { return LayoutPreference::kRowMajor; }));
  return context;
}

// Small weights of both signs.
inline ValueId Filters(GraphBuilder& b, const Shape& shape) {
  std::vector<float> values(shape.num_elements());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i * 37 % 101) / 101.0f - 0.5f;
  }
  return b.Constant<float>(shape, std::move(values));
}

// Runs the graph as a compiled model would, with the processor's kernels and all bound passes, and
// compares with the portable kernels. The plan is to have one step of each of `ops`.
void ExpectSameOnTheProcessor(const Graph& graph, const Tensor& input, int threads,
                              const std::vector<std::string>& ops, float tolerance);

}  // namespace inferd::testing
