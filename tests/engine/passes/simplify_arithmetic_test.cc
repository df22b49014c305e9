#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::RunPass;

const Shape kShape({3, 4});

TEST(SimplifyArithmetic, DropsNeutralElements) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  ValueId y = b.Op("Add", {b.Constant<float>(Shape({4}), {0, 0, 0, 0}), x});
  y = b.Op("Div", {b.Op("Mul", {y, b.Scalar(1)}), b.Scalar(1)});
  y = b.Op("Pow", {b.Op("Sub", {y, b.Scalar(0)}), b.Scalar(1)});
  Graph graph = b.Build({b.Op("Exp", {y})});
  ExpectSameAnswers(SimplifyArithmetic, graph, {RandomTensor(kShape)}, 5);
  EXPECT_EQ(graph.num_nodes(), 1);
}

TEST(SimplifyArithmetic, KeepsANeutralElementThatGrowsTheResult) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4});
  Graph graph = b.Build({b.Op("Add", {x, b.Constant<float>(Shape({2, 1}), {0, 0})})});
  EXPECT_EQ(RunPass(SimplifyArithmetic, graph), 0);
}

TEST(SimplifyArithmetic, MergesScalars) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  ValueId y = b.Op("Mul", {b.Op("Div", {x, b.Scalar(3)}), b.Scalar(5)});
  y = b.Op("Add", {b.Op("Add", {y, b.Scalar(1)}), b.Scalar(2)});
  Graph graph = b.Build({y});
  ExpectSameAnswers(SimplifyArithmetic, graph, {RandomTensor(kShape)}, 2);
  EXPECT_EQ(graph.num_nodes(), 2);
}

TEST(SimplifyArithmetic, KeepsAddendsThatWouldCancel) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  Graph graph = b.Build({b.Op("Sub", {b.Op("Add", {x, b.Scalar(1e8f)}), b.Scalar(2e8f)})});
  EXPECT_EQ(RunPass(SimplifyArithmetic, graph), 0);
}

TEST(SimplifyArithmetic, MergesBoundsIntoOneClipOrRelu) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId low = b.Op("Max", {b.Scalar(-0.5f), x});
  const ValueId clipped = b.Op("Min", {low, b.Scalar(0.7f)});
  const ValueId positive = b.Op("Relu", {b.Op("Clip", {x, b.Scalar(-1), b.Scalar(0.4f)})});
  const ValueId relu = b.Op("Max", {x, b.Scalar(0)});
  Graph graph = b.Build({clipped, positive, relu});
  const std::vector<Tensor> inputs = {RandomTensor(kShape)};
  const auto before = testing::RunPortable(graph, inputs);
  EXPECT_GT(RunPass(SimplifyArithmetic, graph), 0);
  const auto after = testing::RunPortable(graph, inputs);
  for (int i = 0; i < 3; ++i) testing::ExpectNear(after[i], before[i], 0);
  EXPECT_EQ(CountOps(graph, "Clip"), 2);
  EXPECT_EQ(CountOps(graph, "Relu"), 1);
  EXPECT_EQ(graph.num_nodes(), 3);
}

TEST(SimplifyArithmetic, TakesSimplerOperators) {
  GraphBuilder b;
  const ValueId x = b.Op("Abs", {b.Input("x", {3, 4})});
  ValueId y = b.Op("Pow", {b.Op("Pow", {x, b.Scalar(2)}), b.Scalar(0.5f)});
  y = b.Op("Mul", {b.Op("Div", {b.Op("Exp", {y}), b.Scalar(8)}), b.Scalar(-1)});
  Graph graph = b.Build({y});
  const std::vector<Tensor> inputs = {RandomTensor(kShape)};
  const auto before = testing::RunPortable(graph, inputs);
  EXPECT_GT(RunPass(SimplifyArithmetic, graph), 0);
  testing::ExpectNear(testing::RunPortable(graph, inputs)[0], before[0], 1e-6f);
  EXPECT_EQ(CountOps(graph, "Pow") + CountOps(graph, "Div"), 0);
}

TEST(SimplifyArithmetic, CancelsPairsAndDecidesChoices) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId y = b.Op("Neg", {b.Op("Neg", {b.Op("Relu", {b.Op("Relu", {x})})})});
  const ValueId yes = b.graph().AddConstant("", Tensor::FromValues<bool>(Shape({1}), {true}));
  Graph graph = b.Build({b.Op("Where", {yes, y, b.Scalar(3)})});
  ExpectSameAnswers(SimplifyArithmetic, graph, {RandomTensor(kShape)}, 3);
  EXPECT_EQ(graph.num_nodes(), 1);
}

}  // namespace
}  // namespace inferd
