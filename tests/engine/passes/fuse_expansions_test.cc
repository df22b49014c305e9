#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::ExpectSameAnswers;
using testing::ExpectSameOnTheProcessor;
using testing::Filters;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::RunPass;
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

TEST(FuseExpansions, RunsOnTheProcessor) {
  const Block blocks[] = {{.batch = 2, .pools = true},
                          {.channels = 161, .kernel = 5, .activation = "HardSwish"},
                          {.height = 41, .width = 57, .stride = 2, .bias = false},
                          {.channels = 170, .kernel = 7, .stride = 2, .activation = ""}};
  for (const int threads : {1, 2}) {
    for (const Block& block : blocks) {
      ExpectSameOnTheProcessor(GraphOf(block), InputOf(block), threads, {"ExpandedConv"}, 5e-5f);
    }
  }
}

}  // namespace
}  // namespace inferd
