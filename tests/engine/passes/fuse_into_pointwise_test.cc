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

TEST(FuseIntoPointwise, ScalesChannelsOnTheirWayIn) {
  for (const bool scale_first : {false, true}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {2, 3, 4, 5});
    const ValueId scale = b.Input("scale", {2, 3, 1, 1});
    const ValueId residual = b.Input("residual", {2, 6, 4, 5});
    const ValueId scaled = scale_first ? b.Op("Mul", {scale, x}) : b.Op("Mul", {x, scale});
    Graph graph = b.Build({b.Op("Add", {residual, Pointwise(b, scaled, 3, 6)})});
    const auto context = SupportsEverything();
    EXPECT_EQ(RunPass(FuseEpilogues, graph, context), 1);
    ExpectSameAnswers(FuseIntoPointwise, graph,
                      {RandomTensor(Shape({2, 3, 4, 5})), RandomTensor(Shape({2, 3, 1, 1}), 2),
                       RandomTensor(Shape({2, 6, 4, 5}), 3)},
                      1, context);
    EXPECT_EQ(graph.num_nodes(), 1);
  }
}

TEST(FuseIntoPointwise, JoinsAndNormalizesChannelsOnTheirWayIn) {
  for (const bool relu : {false, true}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {2, 3, 4, 5});
    const ValueId y = b.Input("y", {2, 4, 4, 5});
    Attributes axis;
    axis.Set("axis", int64_t{1});
    const ValueId joined = b.Op("Concat", {x, y}, axis);
    const auto constant = [&](float first) {
      return b.Constant<float>(Shape({7}), {first, 1, -2, 0.5f, 2, 1, 3});
    };
    ValueId norm =
        b.Op("BatchNormalization", {joined, constant(2), constant(-1), constant(0.5f),
                                    b.Constant<float>(Shape({7}), {1, 2, 3, 1, 2, 3, 4})});
    if (relu) norm = b.Op("Relu", {norm});
    Graph graph = b.Build({Pointwise(b, norm, 7, 5)});
    const auto context = SupportsEverything();
    EXPECT_EQ(RunPass(FuseNormalizationIntoConcat, graph, context), 1);
    RunPass(FuseEpilogues, graph, context);
    ExpectSameAnswers(FuseIntoPointwise, graph,
                      {RandomTensor(Shape({2, 3, 4, 5})), RandomTensor(Shape({2, 4, 4, 5}), 2)}, 1,
                      context);
    EXPECT_EQ(graph.num_nodes(), 1);
  }
}

TEST(FuseIntoPointwise, LeavesInputsThatOthersRead) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3, 4, 5});
  const ValueId scaled = b.Op("Mul", {x, b.Input("scale", {2, 3, 1, 1})});
  Graph graph = b.Build({Pointwise(b, scaled, 3, 6), scaled});
  EXPECT_EQ(RunPass(FuseIntoPointwise, graph, SupportsEverything()), 0);
}

TEST(FuseIntoPointwise, LeavesOtherFactorsAndWindows) {
  const auto changes = [](SymbolicShape scale, int64_t kernel) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {2, 3, 4, 5});
    const ValueId scaled = b.Op("Mul", {x, b.Input("scale", std::move(scale))});
    Graph graph = b.Build({b.Op("Conv", {scaled, b.Weights(Shape({6, 3, kernel, kernel}))})});
    return RunPass(FuseIntoPointwise, graph, SupportsEverything());
  };
  EXPECT_EQ(changes({2, 3, 1, 1}, 1), 1);
  EXPECT_EQ(changes({2, 3, 1, 1}, 3), 0);
  EXPECT_EQ(changes({2, 1, 4, 5}, 1), 0);
  EXPECT_EQ(changes({1, 3, 1, 1}, 1), 0);
}

TEST(FuseIntoPointwise, AsksTheProvidersFirst) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3, 4, 5});
  const ValueId scaled = b.Op("Mul", {x, b.Input("scale", {2, 3, 1, 1})});
  Graph graph = b.Build({Pointwise(b, scaled, 3, 6)});
  EXPECT_EQ(RunPass(FuseIntoPointwise, graph), 0);
}

}  // namespace
}  // namespace inferd
