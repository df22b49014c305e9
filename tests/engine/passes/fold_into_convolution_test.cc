#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"
#include "tests/support/recoverable.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;

ValueId BatchNorm(GraphBuilder& b, ValueId x, int64_t channels) {
  const Shape shape({channels});
  return b.Op("BatchNormalization",
              {x, b.Weights(shape), b.Weights(shape), b.Weights(shape), b.Weights(shape)});
}

TEST(FoldIntoConvolution, TakesBatchNormalizationScaleAndShift) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), 2, 5, 5});
  const ValueId conv = b.Op("Conv", {x, b.Weights(Shape({3, 2, 3, 3}))});
  const ValueId scaled = b.Op("Mul", {BatchNorm(b, conv, 3), b.Weights(Shape({1, 3, 1, 1}))});
  Graph graph = b.Build({b.Op("Add", {b.Weights(Shape({3, 1, 1})), scaled})});
  ExpectSameAnswers(FoldIntoConvolution, graph, {RandomTensor(Shape({2, 2, 5, 5}))}, 3);
  EXPECT_EQ(graph.num_nodes(), 1);
}

TEST(FoldIntoConvolution, ScalesTheRightWeightsOfAGroupedConvTranspose) {
  GraphBuilder b;
  Attributes attributes;
  attributes.Set("group", int64_t{2});
  const ValueId x = b.Input("x", {1, 4, 3, 3});
  const ValueId conv = b.Op("ConvTranspose", {x, b.Weights(Shape({4, 3, 2, 2}))}, attributes);
  Graph graph = b.Build({BatchNorm(b, conv, 6)});
  ExpectSameAnswers(FoldIntoConvolution, graph, {RandomTensor(Shape({1, 4, 3, 3}))}, 1);
}

TEST(FoldIntoConvolution, LeavesAConvolutionThatIsReadTwice) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 2, 5, 5});
  const ValueId conv = b.Op("Conv", {x, b.Weights(Shape({3, 2, 3, 3}))});
  Graph graph = b.Build({BatchNorm(b, conv, 3), conv});
  ExpectSameAnswers(FoldIntoConvolution, graph, {RandomTensor(Shape({1, 2, 5, 5}))}, 0);
}

TEST(FoldIntoConvolution, LeavesAnAddOverPositions) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 2, 5, 5});
  const ValueId conv = b.Op("Conv", {x, b.Weights(Shape({3, 2, 3, 3}))});
  Graph graph = b.Build({b.Op("Add", {conv, b.Weights(Shape({1, 1, 1, 3}))})});
  ExpectSameAnswers(FoldIntoConvolution, graph, {RandomTensor(Shape({1, 2, 5, 5}))}, 0);
}

TEST(FoldIntoConvolution, TakesWhatComesBeforeWithoutPadding) {
  GraphBuilder b;
  Attributes groups;
  groups.Set("group", int64_t{2});
  const ValueId x = b.Input("x", {b.Symbol("batch"), 4, 5, 5});
  const ValueId norm = BatchNorm(b, x, 4);
  Graph graph = b.Build({b.Op("Conv", {norm, b.Weights(Shape({6, 2, 3, 3}))}, groups)});
  ExpectSameAnswers(FoldIntoConvolution, graph, {RandomTensor(Shape({2, 4, 5, 5}))}, 1);
  EXPECT_EQ(graph.num_nodes(), 1);
}

TEST(FoldIntoConvolution, LeavesTheBytesOfLargeWeightsToWhoeverReadsThem) {
  const auto set = std::make_shared<RecoverySet>();
  GraphBuilder b;
  const Tensor plain = RandomTensor(Shape({128, 64, 1, 1}));
  const Shape channels({1, 64, 1, 1});
  ValueId x = b.Input("x", {1, 64, 2, 2});
  x = b.Op("Add", {b.Op("Mul", {x, b.Weights(channels)}), b.Weights(channels)});
  const ValueId weights = b.graph().AddConstant("", testing::Recoverable(set, plain));
  const ValueId y = b.Op("Conv", {x, weights});
  Graph graph = b.Build({b.Op("Mul", {y, b.Weights(Shape({1, 128, 1, 1}))})});
  EXPECT_GT(testing::RunPass(FoldIntoConvolution, graph), 1);
  const Node& conv = graph.node(graph.num_nodes() - 1);
  ASSERT_EQ(conv.op->name, "Conv");
  EXPECT_NE(graph.constant(conv.inputs[1])->recoverable(), nullptr);
  EXPECT_EQ(set->resident_bytes(), 0);
}

TEST(FoldIntoConvolution, TakesAScaleButNoShiftBeforePadding) {
  GraphBuilder b;
  Attributes pads;
  pads.Set("pads", std::vector<int64_t>{1, 1, 1, 1});
  const ValueId x = b.Input("x", {b.Symbol("batch"), 2, 5, 5});
  const ValueId shifted = b.Op("Add", {x, b.Weights(Shape({2, 1, 1}))});
  const ValueId scaled = b.Op("Mul", {b.Weights(Shape({2, 1, 1})), shifted});
  Graph graph = b.Build({b.Op("Conv", {scaled, b.Weights(Shape({3, 2, 3, 3}))}, pads)});
  ExpectSameAnswers(FoldIntoConvolution, graph, {RandomTensor(Shape({2, 2, 5, 5}))}, 1);
  EXPECT_EQ(graph.num_nodes(), 2);
}

}  // namespace
}  // namespace inferd
