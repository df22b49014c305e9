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

TEST(FuseEpilogues, AppendsBiasResidualAndActivation) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId residual = b.Input("residual", {3, 5});
  const ValueId product = b.Op("MatMul", {x, b.Weights(Shape({4, 5}))});
  const ValueId biased = b.Op("Add", {b.Weights(Shape({5})), product});
  const ValueId y = b.Op("Relu", {b.Op("Sub", {residual, biased})});
  Graph graph = b.Build({y});
  ExpectSameAnswers(FuseEpilogues, graph,
                    {RandomTensor(Shape({3, 4})), RandomTensor(Shape({3, 5}), 2)}, 3,
                    SupportsEverything());
  EXPECT_EQ(graph.num_nodes(), 1);
}

TEST(FuseEpilogues, WaitsForAResidualThatIsMadeLater) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId product = b.Op("MatMul", {x, b.Weights(Shape({4, 4}))});
  const ValueId other = b.Op("Exp", {b.Op("Neg", {x})});
  Graph graph = b.Build({b.Op("Add", {product, other})});
  ExpectSameAnswers(FuseEpilogues, graph, {RandomTensor(Shape({3, 4}))}, 1, SupportsEverything());
  EXPECT_EQ(CountOps(graph, "Add"), 0);
}

TEST(FuseEpilogues, KeepsAClipWithConstantBounds) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId product = b.Op("MatMul", {x, b.Weights(Shape({4, 4}))});
  Graph graph = b.Build({b.Op("Clip", {product, b.Scalar(-0.1f), b.Scalar(0.2f)})});
  ExpectSameAnswers(FuseEpilogues, graph, {RandomTensor(Shape({3, 4}))}, 1, SupportsEverything());
}

TEST(FuseEpilogues, NormalizesEmbeddingsAsTheyAreGathered) {
  GraphBuilder b;
  const ValueId ids = b.Input("ids", {2, 3}, DType::kInt64);
  const ValueId words = b.Op("Gather", {b.Weights(Shape({6, 8})), ids});
  const ValueId sum = b.Op("Add", {words, b.Weights(Shape({3, 8}))});
  Attributes epsilon;
  epsilon.Set("epsilon", 1e-3f);
  const ValueId y = b.Op("LayerNormalization", {sum, b.Weights(Shape({8})), b.Weights(Shape({8}))},
                         std::move(epsilon));
  Graph graph = b.Build({y});
  ExpectSameAnswers(FuseEpilogues, graph, {Tensor::FromValues<int64_t>({2, 3}, {0, 5, 1, 2, 4, 3})},
                    2, SupportsEverything());
  EXPECT_EQ(graph.num_nodes(), 1);
}

TEST(FuseEpilogues, LeavesANormalizationOverSeveralDimensions) {
  GraphBuilder b;
  const ValueId ids = b.Input("ids", {2}, DType::kInt64);
  const ValueId rows = b.Op("Gather", {b.Weights(Shape({6, 4, 8})), ids});
  Attributes axis;
  axis.Set("axis", int64_t{1});
  Graph graph =
      b.Build({b.Op("LayerNormalization", {rows, b.Weights(Shape({4, 8}))}, std::move(axis))});
  EXPECT_EQ(RunPass(FuseEpilogues, graph, SupportsEverything()), 0);
}

TEST(FuseEpilogues, LeavesAValueThatIsAnOutput) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId product = b.Op("MatMul", {x, b.Weights(Shape({4, 4}))});
  Graph graph = b.Build({b.Op("Relu", {product}), product});
  EXPECT_EQ(RunPass(FuseEpilogues, graph, SupportsEverything()), 0);
}

TEST(FuseEpilogues, LeavesAnOperandThatWouldGrowTheResult) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 4});
  const ValueId product = b.Op("MatMul", {x, b.Weights(Shape({4, 4}))});
  Graph graph = b.Build({b.Op("Add", {product, b.Weights(Shape({3, 4}))})});
  EXPECT_EQ(RunPass(FuseEpilogues, graph, SupportsEverything()), 0);
}

TEST(FuseEpilogues, AsksTheProvidersFirst) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  Graph graph = b.Build({b.Op("Relu", {b.Op("MatMul", {x, b.Weights(Shape({4, 4}))})})});
  EXPECT_EQ(RunPass(FuseEpilogues, graph), 0);
}

}  // namespace
}  // namespace inferd
