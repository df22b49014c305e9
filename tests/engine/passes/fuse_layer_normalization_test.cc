#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;

ValueId Mean(GraphBuilder& b, ValueId x) {
  return b.Op("ReduceMean", {x, b.Constant<int64_t>(Shape({1}), {-1})});
}

TEST(FuseLayerNormalization, TakesTheNinePartFormOfOldExports) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), 3, 6});
  const ValueId centred = b.Op("Sub", {x, Mean(b, x)});
  const ValueId variance = Mean(b, b.Op("Pow", {centred, b.Scalar(2)}));
  const ValueId deviation = b.Op("Sqrt", {b.Op("Add", {variance, b.Scalar(1e-5f)})});
  const ValueId normalized = b.Op("Div", {centred, deviation});
  const ValueId scaled = b.Op("Mul", {normalized, b.Weights(Shape({6}))});
  Graph graph = b.Build({b.Op("Add", {scaled, b.Weights(Shape({6}))})});
  ExpectSameAnswers(FuseLayerNormalization, graph, {RandomTensor(Shape({2, 3, 6}))}, 1);
  EXPECT_EQ(graph.num_nodes(), 1);
  EXPECT_EQ(CountOps(graph, "LayerNormalization"), 1);
}

ValueId Axis(GraphBuilder& b) { return b.Constant<int64_t>(Shape({1}), {-1}); }

// The mean of the rows without their axis, brought back by a Reshape and an Expand.
ValueId ExpandedMean(GraphBuilder& b, ValueId x) {
  Attributes attributes;
  attributes.Set("keepdims", int64_t{0});
  const ValueId mean = b.Op("ReduceMean", {x, b.Constant<int64_t>(Shape({1}), {2})}, attributes);
  return b.Op("Unsqueeze", {mean, Axis(b)});
}

TEST(FuseLayerNormalization, TakesTwoDifferencesAndAReciprocal) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), 3, 6});
  const ValueId centred = b.Op("Sub", {x, ExpandedMean(b, x)});
  const ValueId again = b.Op("Sub", {x, ExpandedMean(b, x)});
  const ValueId variance = ExpandedMean(b, b.Op("Mul", {again, again}));
  const ValueId deviation = b.Op("Sqrt", {b.Op("Add", {b.Scalar(1e-5f), variance})});
  const ValueId normalized = b.Op("Mul", {b.Op("Reciprocal", {deviation}), centred});
  const ValueId scaled = b.Op("Mul", {b.Weights(Shape({6})), normalized});
  Graph graph = b.Build({b.Op("Add", {b.Weights(Shape({6})), scaled})});
  ExpectSameAnswers(FuseLayerNormalization, graph, {RandomTensor(Shape({2, 3, 6}))}, 1);
  EXPECT_EQ(graph.num_nodes(), 1);
}

TEST(FuseLayerNormalization, TakesOneDividedByTheDeviation) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), 3, 6});
  const ValueId centred = b.Op("Sub", {x, Mean(b, x)});
  const ValueId variance = Mean(b, b.Op("Mul", {centred, centred}));
  const ValueId deviation = b.Op("Sqrt", {b.Op("Add", {variance, b.Scalar(1e-5f)})});
  const ValueId inverse = b.Op("Div", {b.Scalar(1), deviation});
  const ValueId scaled = b.Op("Mul", {b.Op("Mul", {centred, inverse}), b.Weights(Shape({6}))});
  Graph graph = b.Build({scaled});
  ExpectSameAnswers(FuseLayerNormalization, graph, {RandomTensor(Shape({2, 3, 6}))}, 1);
  EXPECT_EQ(CountOps(graph, "LayerNormalization"), 1);
}

TEST(FuseLayerNormalization, TakesRmsForms) {
  for (const bool reciprocal : {false, true}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {b.Symbol("batch"), 3, 6});
    const ValueId mean = Mean(b, b.Op("Pow", {x, b.Scalar(2)}));
    const ValueId deviation = b.Op("Sqrt", {b.Op("Add", {mean, b.Scalar(1e-6f)})});
    const ValueId row = reciprocal ? b.Op("Mul", {x, b.Op("Reciprocal", {deviation})})
                                   : b.Op("Div", {x, deviation});
    Graph graph = b.Build({b.Op("Mul", {b.Weights(Shape({6})), row})});
    ExpectSameAnswers(FuseLayerNormalization, graph, {RandomTensor(Shape({2, 3, 6}))}, 1);
    EXPECT_EQ(CountOps(graph, "RMSNormalization"), 1);
    EXPECT_EQ(graph.num_nodes(), 1);
  }
}

TEST(FuseLayerNormalization, TakesNoMeanOverAnotherAxisForThatOfTheRow) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 6});
  const ValueId mean = b.Op("ReduceMean", {x, b.Constant<int64_t>(Shape({1}), {0})});
  const ValueId centred = b.Op("Sub", {x, mean});
  const ValueId variance = Mean(b, b.Op("Pow", {centred, b.Scalar(2)}));
  const ValueId deviation = b.Op("Sqrt", {b.Op("Add", {variance, b.Scalar(1e-5f)})});
  const ValueId scaled = b.Op("Mul", {b.Op("Div", {centred, deviation}), b.Weights(Shape({6}))});
  Graph graph = b.Build({b.Op("Add", {scaled, b.Weights(Shape({6}))})});
  // What is left is a root mean square of its own.
  ExpectSameAnswers(FuseLayerNormalization, graph, {RandomTensor(Shape({4, 6}))}, 1);
  EXPECT_EQ(CountOps(graph, "LayerNormalization"), 0);
  EXPECT_EQ(CountOps(graph, "RMSNormalization"), 1);
}

}  // namespace
}  // namespace inferd
