#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;

Graph GroupNorm(float instance_scale) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), 6, 2, 3});
  const ValueId apart = b.Op("Reshape", {x, b.Constant<int64_t>(Shape({3}), {0, 3, -1})});
  const ValueId ones =
      b.Constant<float>(Shape({3}), {instance_scale, instance_scale, instance_scale});
  const ValueId zeros = b.Constant<float>(Shape({3}), {0, 0, 0});
  const ValueId normalized = b.Op("InstanceNormalization", {apart, ones, zeros});
  const ValueId back = b.Op("Reshape", {normalized, b.Constant<int64_t>(Shape({4}), {0, 6, 2, 3})});
  const ValueId scaled = b.Op("Mul", {back, b.Weights(Shape({6, 1, 1}))});
  return b.Build({b.Op("Add", {b.Weights(Shape({1, 6, 1, 1})), scaled})});
}

TEST(FuseGroupNormalization, TakesTheFormOfBothExporters) {
  Graph graph = GroupNorm(1);
  ExpectSameAnswers(FuseGroupNormalization, graph, {RandomTensor(Shape({2, 6, 2, 3}))}, 1);
  EXPECT_EQ(graph.num_nodes(), 1);
  EXPECT_EQ(CountOps(graph, "GroupNormalization"), 1);
}

TEST(FuseGroupNormalization, LeavesAnInstanceNormalizationThatScales) {
  Graph graph = GroupNorm(2);
  ExpectSameAnswers(FuseGroupNormalization, graph, {RandomTensor(Shape({2, 6, 2, 3}))}, 0);
}

}  // namespace
}  // namespace inferd
