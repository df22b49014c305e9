#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;

ValueId ErfPart(GraphBuilder& b, ValueId x) {
  return b.Op("Add", {b.Op("Erf", {b.Op("Div", {x, b.Scalar(1.41421354f)})}), b.Scalar(1.0f)});
}

TEST(FuseGelu, TakesTheFormOfTorchScript) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 5});
  const ValueId y = b.Op("Mul", {b.Op("Mul", {x, ErfPart(b, x)}), b.Scalar(0.5f)});
  Graph graph = b.Build({y});
  ExpectSameAnswers(FuseGelu, graph, {RandomTensor(Shape({2, 5}))}, 1);
  EXPECT_EQ(graph.num_nodes(), 1);
  EXPECT_EQ(CountOps(graph, "Gelu"), 1);
}

TEST(FuseGelu, TakesTheFormOfTheDynamoExporter) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 5});
  const ValueId y = b.Op("Mul", {b.Op("Mul", {b.Scalar(0.5f), ErfPart(b, x)}), x});
  Graph graph = b.Build({y});
  ExpectSameAnswers(FuseGelu, graph, {RandomTensor(Shape({2, 5}))}, 1);
  EXPECT_EQ(graph.num_nodes(), 1);
}

TEST(FuseGelu, TakesTheTanhFormOfGpt2) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 5});
  const ValueId cube = b.Op("Pow", {x, b.Scalar(3.0f)});
  const ValueId inner = b.Op("Add", {x, b.Op("Mul", {cube, b.Scalar(0.044715f)})});
  const ValueId tanh = b.Op("Tanh", {b.Op("Mul", {inner, b.Scalar(0.7978846f)})});
  const ValueId y =
      b.Op("Mul", {b.Op("Mul", {x, b.Scalar(0.5f)}), b.Op("Add", {tanh, b.Scalar(1.0f)})});
  Graph graph = b.Build({y});
  ExpectSameAnswers(FuseGelu, graph, {RandomTensor(Shape({2, 5}))}, 1);
  EXPECT_EQ(graph.num_nodes(), 1);
}

TEST(FuseGelu, LeavesAnotherConstantAlone) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 5});
  const ValueId y = b.Op("Mul", {b.Op("Mul", {x, ErfPart(b, x)}), b.Scalar(0.7f)});
  Graph graph = b.Build({y});
  ExpectSameAnswers(FuseGelu, graph, {RandomTensor(Shape({2, 5}))}, 0);
}

}  // namespace
}  // namespace inferd
