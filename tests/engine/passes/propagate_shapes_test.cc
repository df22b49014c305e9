#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::RunPass;

// One element of the shape of x, as TorchScript exports x.size(axis) for a Concat.
ValueId SizeOf(GraphBuilder& b, ValueId x, int64_t axis) {
  const ValueId size = b.Op("Gather", {b.Op("Shape", {x}), b.Constant<int64_t>(Shape(), {axis})});
  return b.Op("Unsqueeze", {size, b.Constant<int64_t>(Shape({1}), {0})});
}

ValueId Numbers(GraphBuilder& b, std::vector<int64_t> numbers) {
  const Shape shape({static_cast<int64_t>(numbers.size())});
  return b.Constant<int64_t>(shape, std::move(numbers));
}

ValueId Concat(GraphBuilder& b, std::vector<ValueId> parts) {
  Attributes attributes;
  attributes.Set("axis", int64_t{0});
  return b.Op("Concat", std::move(parts), attributes);
}

TEST(PropagateShapes, SplitsHeadsByAConstantTarget) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), b.Symbol("seq"), 12});
  const ValueId target =
      Concat(b, {SizeOf(b, x, 0), SizeOf(b, x, 1), Numbers(b, {3}), Numbers(b, {4})});
  Graph graph = b.Build({b.Op("Reshape", {x, target})});
  ExpectSameAnswers(PropagateShapes, graph, {RandomTensor(Shape({2, 5, 12}))}, 2);
  ASSERT_EQ(graph.num_nodes(), 1);
  const SymbolicShape& shape = graph.value(graph.outputs()[0]).type.shape;
  EXPECT_EQ(shape.ToString(), "[s0,s1,3,4]");
}

TEST(PropagateShapes, KnowsProductsAndWhatRemains) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), 3, b.Symbol("seq"), 4});
  const ValueId flat =
      b.Op("Reshape", {x, Concat(b, {Numbers(b, {-1}), SizeOf(b, x, 2), Numbers(b, {4})})});
  const ValueId target =
      Concat(b, {SizeOf(b, x, 0), Numbers(b, {3}), SizeOf(b, x, 2), Numbers(b, {4})});
  const ValueId y = b.Op("Reshape", {flat, target});
  Graph graph = b.Build({b.Op("Add", {x, y})});
  const std::vector<Tensor> inputs = {RandomTensor(Shape({2, 3, 5, 4}))};
  const auto before = testing::RunPortable(graph, inputs);
  EXPECT_GT(RunPass(PropagateShapes, graph), 0);
  testing::ExpectNear(testing::RunPortable(graph, inputs)[0], before[0], 0);
  EXPECT_TRUE(graph.value(y).type.shape.SameAs(graph.value(x).type.shape));
}

TEST(PropagateShapes, SeesThroughTheExpandIdiom) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), 1, 4});
  const ValueId wanted = Concat(b, {SizeOf(b, x, 0), Numbers(b, {1, 4})});
  const ValueId ones = b.Op("ConstantOfShape", {Numbers(b, {3})}, [] {
    Attributes attributes;
    attributes.Set("value", Tensor::FromValues<int64_t>(Shape({1}), {1}));
    return attributes;
  }());
  const ValueId minus = b.Op("Mul", {ones, b.Constant<int64_t>(Shape(), {-1})});
  const ValueId target = b.Op("Where", {b.Op("Equal", {wanted, minus}), ones, wanted});
  const ValueId y = b.Op("Expand", {x, target});
  Graph graph = b.Build({b.Op("Relu", {y})});
  ExpectSameAnswers(PropagateShapes, graph, {RandomTensor(Shape({2, 1, 4}))}, 4);
  EXPECT_EQ(CountOps(graph, "Where"), 0);
  EXPECT_TRUE(graph.value(y).type.shape.SameAs(graph.value(x).type.shape));
}

TEST(PropagateShapes, TakesOneValueForEqualSizes) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), b.Symbol("seq"), 4});
  const ValueId y = b.Op("Relu", {x});
  const ValueId a = b.Op("ConstantOfShape", {Concat(b, {SizeOf(b, x, 1), SizeOf(b, x, 0)})});
  const ValueId c = b.Op("ConstantOfShape", {Concat(b, {SizeOf(b, y, 1), SizeOf(b, y, 0)})});
  Graph graph = b.Build({b.Op("Add", {a, c}), y});
  EXPECT_GT(RunPass(PropagateShapes, graph), 0);
  EXPECT_EQ(CountOps(graph, "Concat"), 1);
  EXPECT_EQ(CountOps(graph, "Shape"), 1);
}

TEST(PropagateShapes, ABroadcastWithAClippedSizeIsTheSize) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), b.Symbol("seq"), 4});
  const ValueId table = b.Weights(Shape({1, 16, 4}));
  const ValueId part = b.Op("Slice", {table, Numbers(b, {0}), SizeOf(b, x, 1), Numbers(b, {1})});
  const ValueId y = b.Op("Add", {x, part});
  Graph graph = b.Build({y});
  EXPECT_GE(RunPass(PropagateShapes, graph), 0);
  EXPECT_EQ(graph.value(y).type.shape.ToString(), "[s0,s1,4]");
}

TEST(PropagateShapes, LeavesATargetThatNeedsTwoComputedSizes) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), b.Symbol("seq")});
  Graph graph = b.Build({b.Op("Reshape", {x, Concat(b, {SizeOf(b, x, 1), SizeOf(b, x, 0)})})});
  EXPECT_EQ(RunPass(PropagateShapes, graph), 1);  // one of the two Shape nodes
  EXPECT_EQ(graph.value(graph.outputs()[0]).type.shape.ToString(), "[s1,s0]");
}

TEST(PropagateShapes, SurvivesAnIndexOutsideTheShape) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), 4});
  const ValueId size = b.Op("Gather", {b.Op("Shape", {x}), b.Constant<int64_t>(Shape({1}), {7})});
  Graph graph = b.Build({size});
  EXPECT_EQ(RunPass(PropagateShapes, graph), 0);
}

}  // namespace
}  // namespace inferd
