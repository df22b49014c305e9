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

TEST(FuseLayerNormalization, LeavesAMeanOverAnotherAxis) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 6});
  const ValueId mean = b.Op("ReduceMean", {x, b.Constant<int64_t>(Shape({1}), {0})});
  const ValueId centred = b.Op("Sub", {x, mean});
  const ValueId variance = Mean(b, b.Op("Pow", {centred, b.Scalar(2)}));
  const ValueId deviation = b.Op("Sqrt", {b.Op("Add", {variance, b.Scalar(1e-5f)})});
  const ValueId scaled = b.Op("Mul", {b.Op("Div", {centred, deviation}), b.Weights(Shape({6}))});
  Graph graph = b.Build({b.Op("Add", {scaled, b.Weights(Shape({6}))})});
  ExpectSameAnswers(FuseLayerNormalization, graph, {RandomTensor(Shape({4, 6}))}, 0);
}

}  // namespace
}  // namespace inferd
