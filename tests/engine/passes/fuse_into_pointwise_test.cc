#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::RunPass;
using testing::SupportsEverything;

ValueId Pointwise(GraphBuilder& b, ValueId x, int64_t channels, int64_t outputs) {
  return b.Op("Conv",
              {x, b.Weights(Shape({outputs, channels, 1, 1})), b.Weights(Shape({outputs}))});
}

// Three channels of x and four of y joined and normalized.
ValueId JoinedAndNormalized(GraphBuilder& b, ValueId x, ValueId y) {
  Attributes axis;
  axis.Set("axis", int64_t{1});
  const ValueId joined = b.Op("Concat", {x, y}, axis);
  const auto constant = [&](float first) {
    return b.Constant<float>(Shape({7}), {first, 1, -2, 0.5f, 2, 1, 3});
  };
  return b.Op("BatchNormalization", {joined, constant(2), constant(-1), constant(0.5f),
                                     b.Constant<float>(Shape({7}), {1, 2, 3, 1, 2, 3, 4})});
}

// After the pass before.
Graph Normalized(GraphBuilder& b, std::vector<ValueId> outputs) {
  Graph graph = b.Build(std::move(outputs));
  EXPECT_EQ(RunPass(FuseNormalizationIntoConcat, graph, SupportsEverything()), 1);
  RunPass(FuseEpilogues, graph, SupportsEverything());
  return graph;
}

TEST(FuseIntoPointwise, JoinsAndNormalizesChannelsOnTheirWayIn) {
  for (const bool relu : {false, true}) {
    GraphBuilder b;
    ValueId norm = JoinedAndNormalized(b, b.Input("x", {2, 3, 4, 5}), b.Input("y", {2, 4, 4, 5}));
    if (relu) norm = b.Op("Relu", {norm});
    const ValueId residual = b.Input("residual", {2, 6, 4, 5});
    Graph graph = Normalized(b, {b.Op("Add", {residual, Pointwise(b, norm, 7, 6)})});
    ExpectSameAnswers(FuseIntoPointwise, graph,
                      {RandomTensor(Shape({2, 3, 4, 5})), RandomTensor(Shape({2, 4, 4, 5}), 2),
                       RandomTensor(Shape({2, 6, 4, 5}), 3)},
                      1, SupportsEverything());
    EXPECT_EQ(graph.num_nodes(), 1);
  }
}

TEST(FuseIntoPointwise, LeavesInputsThatOthersRead) {
  GraphBuilder b;
  const ValueId norm =
      JoinedAndNormalized(b, b.Input("x", {2, 3, 4, 5}), b.Input("y", {2, 4, 4, 5}));
  Graph graph = Normalized(b, {Pointwise(b, norm, 7, 6), norm});
  EXPECT_EQ(RunPass(FuseIntoPointwise, graph, SupportsEverything()), 0);
}

TEST(FuseIntoPointwise, LeavesOtherWindowsAndWhatIsOnlyJoined) {
  const auto changes = [](bool normalize, int64_t kernel) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {2, 3, 4, 5});
    const ValueId y = b.Input("y", {2, 4, 4, 5});
    Attributes axis;
    axis.Set("axis", int64_t{1});
    const ValueId in = normalize ? JoinedAndNormalized(b, x, y) : b.Op("Concat", {x, y}, axis);
    const ValueId weights = b.Weights(Shape({6, 7, kernel, kernel}));
    const ValueId out = b.Op("Conv", {in, weights});
    Graph graph = normalize ? Normalized(b, {out}) : b.Build({out});
    return RunPass(FuseIntoPointwise, graph, SupportsEverything());
  };
  EXPECT_EQ(changes(true, 1), 1);
  EXPECT_EQ(changes(true, 3), 0);
  EXPECT_EQ(changes(false, 1), 0);
}

TEST(FuseIntoPointwise, AsksTheProvidersFirst) {
  GraphBuilder b;
  const ValueId norm =
      JoinedAndNormalized(b, b.Input("x", {2, 3, 4, 5}), b.Input("y", {2, 4, 4, 5}));
  Graph graph = Normalized(b, {Pointwise(b, norm, 7, 6)});
  EXPECT_EQ(RunPass(FuseIntoPointwise, graph), 0);
}

}  // namespace
}  // namespace inferd
