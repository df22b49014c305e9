#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::RunPass;

Attributes Ints(const std::string& name, std::vector<int64_t> values) {
  Attributes attributes;
  attributes.Set(name, std::move(values));
  return attributes;
}

Attributes Int(const std::string& name, int64_t value) {
  Attributes attributes;
  attributes.Set(name, value);
  return attributes;
}

ValueId Numbers(GraphBuilder& b, std::vector<int64_t> numbers) {
  const Shape shape({static_cast<int64_t>(numbers.size())});
  return b.Constant<int64_t>(shape, std::move(numbers));
}

TEST(MergeViews, MergesAndCancelsTransposes) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3, 4});
  const ValueId y = b.Op("Transpose", {x}, Ints("perm", {1, 2, 0}));
  const ValueId z = b.Op("Transpose", {y}, Ints("perm", {1, 0, 2}));
  const ValueId back = b.Op("Transpose", {y}, Ints("perm", {2, 0, 1}));
  Graph graph = b.Build({z, b.Op("Exp", {back})});
  ExpectSameAnswers(MergeViews, graph, {RandomTensor(Shape({2, 3, 4}))}, 2);
  EXPECT_EQ(CountOps(graph, "Transpose"), 1);
}

TEST(MergeViews, CancelsTransposesAroundElementwiseNodes) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), 3, 4});
  const ValueId y = b.Op("Transpose", {x}, Ints("perm", {0, 2, 1}));
  const ValueId z = b.Op("Mul", {b.Scalar(3), b.Op("Relu", {y})});
  Graph graph = b.Build({b.Op("Transpose", {z}, Ints("perm", {0, 2, 1}))});
  ExpectSameAnswers(MergeViews, graph, {RandomTensor(Shape({2, 3, 4}))}, 1);
  EXPECT_EQ(CountOps(graph, "Transpose"), 0);
}

TEST(MergeViews, KeepsTransposesAroundAVector) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId y = b.Op("Transpose", {x}, Ints("perm", {1, 0}));
  const ValueId z = b.Op("Mul", {y, b.Weights(Shape({3}))});
  Graph graph = b.Build({b.Op("Transpose", {z}, Ints("perm", {1, 0}))});
  EXPECT_EQ(RunPass(MergeViews, graph), 0);
}

TEST(MergeViews, MergesViewsOfViews) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), 3, 4});
  const ValueId wide = b.Op("Unsqueeze", {x, Numbers(b, {1})});
  const ValueId same = b.Op("Squeeze", {wide, Numbers(b, {1})});
  const ValueId flat =
      b.Op("Reshape", {b.Op("Reshape", {same, Numbers(b, {0, 12})}), Numbers(b, {0, 2, 6})});
  Graph graph = b.Build({b.Op("Exp", {flat})});
  ExpectSameAnswers(MergeViews, graph, {RandomTensor(Shape({2, 3, 4}))}, 2);
  EXPECT_EQ(graph.num_nodes(), 2);
}

TEST(MergeViews, KeepsAReshapeThatCopiesADimensionOfTheViewBelow) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3, 4});
  const ValueId y = b.Op("Reshape", {x, Numbers(b, {6, 4})});
  Graph graph = b.Build({b.Op("Reshape", {y, Numbers(b, {0, 2, 2})})});
  ExpectSameAnswers(MergeViews, graph, {RandomTensor(Shape({2, 3, 4}))}, 0);
}

TEST(MergeViews, TakesCastsTogetherWhereNothingIsLost) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4}, DType::kInt32);
  const ValueId wide = b.Op("Cast", {x}, Int("to", 7));
  const ValueId real = b.Op("Cast", {wide}, Int("to", 1));
  const ValueId narrow = b.Op("Cast", {b.Input("y", {4})}, Int("to", 10));
  Graph graph = b.Build({real, b.Op("Cast", {narrow}, Int("to", 1))});
  EXPECT_EQ(RunPass(MergeViews, graph), 1);
  EXPECT_EQ(CountOps(graph, "Cast"), 3);
}

TEST(MergeViews, JoinsTheSlicesOfAValue) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 6});
  const ValueId axis = Numbers(b, {1});
  const ValueId left = b.Op("Slice", {x, Numbers(b, {0}), Numbers(b, {2}), axis});
  const ValueId right = b.Op("Slice", {x, Numbers(b, {2}), Numbers(b, {1000}), axis});
  Graph graph = b.Build({b.Op("Exp", {b.Op("Concat", {left, right}, Int("axis", 1))}),
                         b.Op("Concat", {right, left}, Int("axis", 1))});
  ExpectSameAnswers(MergeViews, graph, {RandomTensor(Shape({2, 6}))}, 1);
}

TEST(MergeViews, FlattensConcats) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3});
  const ValueId inner = b.Op("Concat", {x, b.Op("Exp", {x})}, Int("axis", 1));
  Graph graph = b.Build({b.Op("Concat", {b.Op("Neg", {x}), inner}, Int("axis", -1))});
  ExpectSameAnswers(MergeViews, graph, {RandomTensor(Shape({2, 3}))}, 1);
  EXPECT_EQ(CountOps(graph, "Concat"), 1);
}

}  // namespace
}  // namespace inferd
