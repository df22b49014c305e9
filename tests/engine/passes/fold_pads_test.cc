#include <limits>

#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;

Attributes Window(bool counts_padding) {
  Attributes attributes;
  attributes.Set("kernel_shape", std::vector<int64_t>{3, 3});
  attributes.Set("pads", std::vector<int64_t>{1, 0, 0, 1});
  if (counts_padding) attributes.Set("count_include_pad", int64_t{1});
  return attributes;
}

ValueId Padded(GraphBuilder& b, float value, std::vector<int64_t> pads) {
  const ValueId x = b.Input("x", {b.Symbol("batch"), 2, 5, 5});
  return b.Op("Pad", {x, b.Constant<int64_t>(Shape({8}), std::move(pads)), b.Scalar(value)});
}

void ExpectPads(Graph graph, int left) {
  ExpectSameAnswers(FoldPads, graph, {RandomTensor(Shape({2, 2, 5, 5}))}, 1 - left);
  EXPECT_EQ(CountOps(graph, "Pad"), left);
}

TEST(FoldPads, TakesZerosIntoAConvolutionAndAnAveragePool) {
  GraphBuilder conv;
  Attributes pads;
  pads.Set("pads", std::vector<int64_t>{0, 1, 0, 1});
  ExpectPads(
      conv.Build({conv.Op(
          "Conv", {Padded(conv, 0, {0, 0, 1, 0, 0, 0, 2, 1}), conv.Weights(Shape({3, 2, 3, 3}))},
          pads)}),
      0);
  GraphBuilder pool;
  ExpectPads(pool.Build({pool.Op("AveragePool", {Padded(pool, 0, {0, 0, 1, 1, 0, 0, 1, 0})},
                                 Window(true))}),
             0);
}

TEST(FoldPads, TakesMinusInfinityIntoAMaxPool) {
  GraphBuilder b;
  ExpectPads(
      b.Build({b.Op("MaxPool",
                    {Padded(b, -std::numeric_limits<float>::infinity(), {0, 0, 1, 1, 0, 0, 1, 0})},
                    Window(false))}),
      0);
}

TEST(FoldPads, LeavesWhatWouldCountOrFillDifferently) {
  GraphBuilder pool;
  ExpectPads(pool.Build({pool.Op("AveragePool", {Padded(pool, 0, {0, 0, 1, 1, 0, 0, 1, 0})},
                                 Window(false))}),
             1);
  GraphBuilder other;
  ExpectPads(other.Build({other.Op("Conv", {Padded(other, 1, {0, 0, 1, 1, 0, 0, 1, 1}),
                                            other.Weights(Shape({3, 2, 3, 3}))})}),
             1);
  GraphBuilder channels;
  ExpectPads(channels.Build({channels.Op("Conv", {Padded(channels, 0, {0, 1, 0, 0, 0, 0, 0, 0}),
                                                  channels.Weights(Shape({3, 3, 3, 3}))})}),
             1);
}

}  // namespace
}  // namespace inferd
