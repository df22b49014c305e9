#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"
#include "tests/support/recoverable.h"

namespace inferd {
namespace {

using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;

TEST(FoldIntoProduct, TakesScaleShiftAndBatchNormalizationIntoAGemm) {
  for (const int64_t transposed : {0, 1}) {
    GraphBuilder b;
    Attributes attributes;
    attributes.Set("transB", transposed);
    const ValueId x = b.Input("x", {b.Symbol("batch"), 4});
    const Shape row({3});
    const ValueId weights = b.Weights(transposed != 0 ? Shape({3, 4}) : Shape({4, 3}));
    ValueId y = b.Op("Gemm", {x, weights, b.Weights(row)}, attributes);
    y = b.Op("BatchNormalization",
             {y, b.Weights(row), b.Weights(row), b.Weights(row), b.Weights(row)});
    y = b.Op("Sub", {b.Op("Div", {y, b.Scalar(3)}), b.Weights(Shape({1, 3}))});
    Graph graph = b.Build({y});
    ExpectSameAnswers(FoldIntoProduct, graph, {RandomTensor(Shape({2, 4}))}, 3);
    EXPECT_EQ(graph.num_nodes(), 1);
  }
}

TEST(FoldIntoProduct, TakesAScaleIntoTheWeightsOfAMatMul) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), 5, 4});
  const ValueId y = b.Op("MatMul", {x, b.Weights(Shape({4, 3}))});
  Graph graph = b.Build({b.Op("Mul", {b.Scalar(0.125f), y})});
  ExpectSameAnswers(FoldIntoProduct, graph, {RandomTensor(Shape({2, 5, 4}))}, 1);
  EXPECT_EQ(graph.num_nodes(), 1);
}

TEST(FoldIntoProduct, LeavesTheBytesOfLargeWeightsToWhoeverReadsThem) {
  for (const int64_t transposed : {0, 1}) {
    const auto set = std::make_shared<RecoverySet>();
    GraphBuilder b;
    Attributes attributes;
    attributes.Set("transB", transposed);
    const Shape shape = transposed != 0 ? Shape({64, 256}) : Shape({256, 64});
    const Tensor plain = RandomTensor(shape);
    const ValueId weights = b.graph().AddConstant("", testing::Recoverable(set, plain));
    const ValueId y = b.Op("Gemm", {b.Input("x", {2, 256}), weights}, attributes);
    Graph graph = b.Build({b.Op("Mul", {y, b.Weights(Shape({64}))})});
    EXPECT_EQ(testing::RunPass(FoldIntoProduct, graph), 1);
    const Tensor& scaled = *graph.constant(graph.node(0).inputs[1]);
    ASSERT_NE(scaled.recoverable(), nullptr);
    EXPECT_EQ(set->resident_bytes(), 0);
    const RecoverySet::Reading reading(*set);
    const int64_t element = 3 * shape[1] + 2;
    const float factor = 0.01f * (transposed != 0 ? 4 : 3);
    EXPECT_EQ(scaled.data<float>()[element], plain.data<float>()[element] * factor);
  }
}

TEST(FoldIntoProduct, LeavesAScaleOverRows) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId y = b.Op("Gemm", {x, b.Weights(Shape({4, 3}))});
  Graph graph = b.Build({b.Op("Mul", {y, b.Weights(Shape({3, 1}))})});
  ExpectSameAnswers(FoldIntoProduct, graph, {RandomTensor(Shape({3, 4}))}, 0);
}

}  // namespace
}  // namespace inferd
