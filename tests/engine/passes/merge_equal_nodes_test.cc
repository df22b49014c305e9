#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::RunPass;

TEST(MergeEqualNodes, TakesOneOfEqualChainsWithEqualConstants) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId one = b.Op("Exp", {b.Op("Mul", {x, b.Scalar(2)})});
  const ValueId other = b.Op("Exp", {b.Op("Mul", {x, b.Scalar(2)})});
  Graph graph = b.Build({b.Op("Add", {one, other})});
  ExpectSameAnswers(MergeEqualNodes, graph, {RandomTensor(Shape({3, 4}))}, 3);
  EXPECT_EQ(graph.num_nodes(), 3);
}

TEST(MergeEqualNodes, KeepsOtherAttributesAndOtherConstants) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  Attributes first;
  first.Set("axis", int64_t{0});
  Attributes last;
  last.Set("axis", int64_t{1});
  const ValueId a = b.Op("Add", {b.Op("Softmax", {x}, first), b.Op("Softmax", {x}, last)});
  // -0 and 0 are equal numbers and not the same divisor.
  const ValueId c =
      b.Op("Add", {b.Op("Div", {a, b.Scalar(0.0f)}), b.Op("Div", {a, b.Scalar(-0.0f)})});
  Graph graph = b.Build({c});
  EXPECT_EQ(RunPass(MergeEqualNodes, graph), 0);
}

TEST(MergeEqualNodes, KeepsRandomNodesApart) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  Graph graph =
      b.Build({b.Op("Add", {b.Op("RandomNormalLike", {x}), b.Op("RandomNormalLike", {x})})});
  EXPECT_EQ(RunPass(MergeEqualNodes, graph), 0);
}

TEST(MergeEqualNodes, KeepsBothOutputsOfTheModel) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  Graph graph = b.Build({b.Op("Exp", {x}), b.Op("Exp", {x})});
  ExpectSameAnswers(MergeEqualNodes, graph, {RandomTensor(Shape({3, 4}))}, 1);
  EXPECT_EQ(CountOps(graph, "Exp"), 1);
  EXPECT_EQ(graph.outputs().size(), 2u);
}

}  // namespace
}  // namespace inferd
