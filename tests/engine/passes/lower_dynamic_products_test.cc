#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::RunPass;

ValueId Product(GraphBuilder& b, ValueId x, std::vector<ValueId> more = {}) {
  std::vector<ValueId> ids = {x, b.Constant<int8_t>(Shape({3, 2}), {1, -2, 3, -4, 5, -6}),
                              b.Scalar(0.25f)};
  ids.insert(ids.end(), more.begin(), more.end());
  return b.Op("DynamicQuantizeMatMul", ids, {}, "com.microsoft");
}

TEST(LowerDynamicProducts, QuantizesTheActivationInANodeOfItsOwn) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 3});
  Graph graph = b.Build({Product(b, x)});
  ExpectSameAnswers(LowerDynamicProducts, graph, {RandomTensor(Shape({4, 3}))}, 1);
  EXPECT_EQ(CountOps(graph, "DynamicQuantizeLinear"), 1);
  EXPECT_EQ(CountOps(graph, "MatMulIntegerToFloat"), 1);
}

TEST(LowerDynamicProducts, KeepsZeroPointsAndBias) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 3});
  const ValueId zeros = b.Constant<int8_t>(Shape({2}), {1, -1});
  Graph graph = b.Build({Product(b, x, {zeros}), Product(b, x, {kNoValue, b.Weights(Shape({2}))}),
                         Product(b, x, {zeros, b.Weights(Shape({2}))})});
  ExpectSameAnswers(LowerDynamicProducts, graph, {RandomTensor(Shape({4, 3}))}, 3);
}

TEST(LowerDynamicProducts, LetsProductsOfOneActivationShareItsQuantization) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 3});
  Graph graph = b.Build({Product(b, x), Product(b, x, {kNoValue, b.Weights(Shape({2}))})});
  ExpectSameAnswers(LowerDynamicProducts, graph, {RandomTensor(Shape({4, 3}))}, 2);
  EXPECT_EQ(CountOps(graph, "DynamicQuantizeLinear"), 2);
  RunPass(MergeEqualNodes, graph);
  EXPECT_EQ(CountOps(graph, "DynamicQuantizeLinear"), 1);
}

}  // namespace
}  // namespace inferd
