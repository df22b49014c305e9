#include <algorithm>

#include "engine/plan/weight_store.h"
#include "engine/providers/providers.h"
#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectNear;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::RunPass;
using testing::RunPortable;
using testing::SupportsEverything;

struct Block {
  int64_t batch = 1;
  int64_t inputs = 8;
  int64_t channels = 160;
  int64_t height = 40;
  int64_t width = 58;
  int64_t kernel = 3;
  int64_t stride = 1;
  std::string activation = "Relu";
  bool pools = false;
  bool bias = true;
};

// Small weights of both signs.
ValueId Filters(GraphBuilder& b, const Shape& shape) {
  std::vector<float> values(shape.num_elements());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i * 37 % 101) / 101.0f - 0.5f;
  }
  return b.Constant<float>(shape, std::move(values));
}

Graph GraphOf(const Block& block) {
  GraphBuilder b;
  const auto conv = [&](ValueId x, const Shape& weights, const Attributes& attributes) {
    std::vector<ValueId> inputs = {x, Filters(b, weights)};
    if (block.bias) inputs.push_back(Filters(b, Shape({weights[0]})));
    const ValueId y = b.Op("Conv", inputs, attributes);
    return block.activation.empty() ? y : b.Op(block.activation, {y});
  };
  const ValueId x = b.Input("x", {block.batch, block.inputs, block.height, block.width});
  const ValueId wide = conv(x, Shape({block.channels, block.inputs, 1, 1}), Attributes());
  Attributes depthwise;
  depthwise.Set("group", block.channels);
  depthwise.Set("pads", std::vector<int64_t>(4, block.kernel / 2));
  depthwise.Set("strides", std::vector<int64_t>(2, block.stride));
  const ValueId y = conv(wide, Shape({block.channels, 1, block.kernel, block.kernel}), depthwise);
  if (!block.pools) return b.Build({y});
  return b.Build({y, b.Op("GlobalAveragePool", {y})});
}

Tensor InputOf(const Block& block) {
  return RandomTensor(Shape({block.batch, block.inputs, block.height, block.width}));
}

TEST(FuseExpansions, JoinsAPointwiseAndADepthwiseConvolution) {
  for (const bool pools : {false, true}) {
    for (const bool bias : {false, true}) {
      const Block block{.batch = 2, .pools = pools, .bias = bias};
      Graph graph = GraphOf(block);
      const auto context = SupportsEverything();
      RunPass(FuseEpilogues, graph, context);
      RunPass(FuseConvPools, graph, context);
      ExpectSameAnswers(FuseExpansions, graph, {InputOf(block)}, 1, context);
      EXPECT_EQ(graph.num_nodes(), 1) << graph.ToString();
    }
  }
}

TEST(FuseExpansions, LeavesValuesThatStayInTheCacheOrThatOthersRead) {
  const auto context = SupportsEverything();
  Graph small = GraphOf({.channels = 16});
  EXPECT_EQ(RunPass(FuseExpansions, small, context), 0);
  Graph read = GraphOf({.activation = ""});
  read.MarkOutput(read.node(0).outputs[0]);
  EXPECT_EQ(RunPass(FuseExpansions, read, context), 0);
}

TEST(FuseExpansions, AsksTheProvidersFirst) {
  Graph graph = GraphOf({.activation = ""});
  EXPECT_EQ(RunPass(FuseExpansions, graph), 0);
}

// Runs the graph as a compiled model would and compares with the portable kernels.
void ExpectSameOnTheProcessor(const Block& block, int threads) {
  const Graph graph = GraphOf(block);
  const Tensor input = InputOf(block);
  EngineConfig config;
  config.optimization_level = "all";
  config.threads_per_slot = threads;
  const auto providers = MakeProviders(config).value();
  Graph bound = BindShapes(graph, {input.shape()}).value();
  const auto passes = RunPasses(BoundPasses(), bound, {config, providers});
  ASSERT_TRUE(passes.ok()) << passes.status();
  EXPECT_EQ(CountOps(bound, "ExpandedConv"), 1) << bound.ToString();
  WeightStore weights;
  PlanOptions options;
  options.providers = providers;
  options.weights = &weights;
  options.threads = threads;
  options.max_arena_bytes = int64_t{1} << 30;
  options.config = &config;
  const auto plan = BuildPlan(bound, options);
  ASSERT_TRUE(plan.ok()) << plan.status();
  Executor executor(*plan);
  CoreSlot slot(threads);
  std::vector<Tensor> outputs;
  const absl::Status status = executor.Run(slot, {input}, &outputs);
  ASSERT_TRUE(status.ok()) << status;
  const std::vector<Tensor> expected = RunPortable(graph, {input});
  ASSERT_EQ(outputs.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) ExpectNear(outputs[i], expected[i], 5e-5f);
}

TEST(FuseExpansions, RunsOnTheProcessor) {
  for (const int threads : {1, 2}) {
    ExpectSameOnTheProcessor({.batch = 2, .pools = true}, threads);
    ExpectSameOnTheProcessor({.channels = 161, .kernel = 5, .activation = "HardSwish"}, threads);
    ExpectSameOnTheProcessor({.height = 41, .width = 57, .stride = 2, .bias = false}, threads);
    ExpectSameOnTheProcessor({.channels = 170, .kernel = 7, .stride = 2, .activation = ""},
                             threads);
  }
}

}  // namespace
}  // namespace inferd
