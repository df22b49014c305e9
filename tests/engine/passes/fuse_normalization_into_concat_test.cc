#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::SupportsEverything;

Attributes Axis(int64_t axis) {
  Attributes attributes;
  attributes.Set("axis", axis);
  return attributes;
}

ValueId Normalized(GraphBuilder& b, ValueId x, int64_t channels) {
  const auto constant = [&](float first, float step) {
    std::vector<float> values;
    for (int64_t c = 0; c < channels; ++c) values.push_back(first + step * static_cast<float>(c));
    return b.Constant(Shape({channels}), values);
  };
  return b.Op("BatchNormalization", {x, constant(2, -0.5f), constant(-1, 0.25f),
                                     constant(0.5f, -0.125f), constant(0.5f, 0.75f)});
}

TEST(FuseNormalizationIntoConcat, ScalesAndShiftsJoinedChannels) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3, 4, 5});
  const ValueId y = b.Input("y", {2, 4, 4, 5});
  const ValueId joined = b.Op("Concat", {x, y}, Axis(1));
  Graph graph = b.Build({b.Op("Relu", {Normalized(b, joined, 7)})});
  ExpectSameAnswers(FuseNormalizationIntoConcat, graph,
                    {RandomTensor(Shape({2, 3, 4, 5})), RandomTensor(Shape({2, 4, 4, 5}))}, 1,
                    SupportsEverything());
  EXPECT_EQ(CountOps(graph, "BatchNormalization"), 0);
  EXPECT_EQ(graph.num_nodes(), 2);
}

TEST(FuseNormalizationIntoConcat, LeavesJoinedValuesThatAreReadElsewhere) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3, 4, 5});
  const ValueId joined = b.Op("Concat", {x, x}, Axis(1));
  Graph graph = b.Build({Normalized(b, joined, 6), joined});
  ExpectSameAnswers(FuseNormalizationIntoConcat, graph, {RandomTensor(Shape({2, 3, 4, 5}))}, 0,
                    SupportsEverything());
}

TEST(FuseNormalizationIntoConcat, LeavesOtherAxes) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3, 4, 5});
  const ValueId joined = b.Op("Concat", {x, x}, Axis(2));
  Graph graph = b.Build({Normalized(b, joined, 3)});
  ExpectSameAnswers(FuseNormalizationIntoConcat, graph, {RandomTensor(Shape({2, 3, 4, 5}))}, 0,
                    SupportsEverything());
}

}  // namespace
}  // namespace inferd
