#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::FakePassContext;
using testing::FakeProvider;
using testing::GraphBuilder;
using testing::RunPass;

// Convolutions want channels-last, Relu and Add take either.
FakePassContext ConvolutionsChannelsLast() {
  FakePassContext context;
  context.providers.push_back(std::make_unique<FakeProvider>(
      [](const Graph&, const Node& node) { return node.op->name != "Softmax"; },
      [](const Node& node) {
        return node.op->name == "Conv" ? LayoutPreference::kChannelsLast : LayoutPreference::kAny;
      }));
  return context;
}

TEST(AssignLayouts, ReordersOnceAtEachBorderOfAChain) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 2, 5, 5});
  const ValueId a = b.Op("Relu", {b.Op("Conv", {x, b.Weights(Shape({3, 2, 3, 3}))})});
  const ValueId c = b.Op("Conv", {a, b.Weights(Shape({3, 3, 1, 1}))});
  Graph graph = b.Build({b.Op("Relu", {b.Op("Add", {a, c})})});
  EXPECT_EQ(RunPass(AssignLayouts, graph, ConvolutionsChannelsLast()), 2);
  EXPECT_EQ(CountOps(graph, "Reorder"), 2);
  EXPECT_EQ(graph.value(graph.outputs()[0]).layout, Layout::kRowMajor);
}

TEST(AssignLayouts, GivesRowMajorToNodesOfThePortableProvider) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 2, 5, 5});
  const ValueId a = b.Op("Conv", {x, b.Weights(Shape({3, 2, 3, 3}))});
  Graph graph = b.Build({b.Op("Softmax", {a})});
  RunPass(AssignLayouts, graph, ConvolutionsChannelsLast());
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (graph.node(id).op->name != "Softmax") continue;
    EXPECT_EQ(graph.value(graph.node(id).inputs[0]).layout, Layout::kRowMajor);
  }
}

TEST(AssignLayouts, LeavesAGraphWithoutConvolutionsAlone) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 2, 5, 5});
  Graph graph = b.Build({b.Op("Relu", {x})});
  EXPECT_EQ(RunPass(AssignLayouts, graph, ConvolutionsChannelsLast()), 0);
}

}  // namespace
}  // namespace inferd
