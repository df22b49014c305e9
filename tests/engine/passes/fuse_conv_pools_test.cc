#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::ExpectSameOnTheProcessor;
using testing::Filters;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::RunPass;
using testing::SupportsEverything;

Attributes Depthwise(int64_t channels, int64_t kernel = 3, int64_t stride = 1) {
  Attributes attributes;
  attributes.Set("group", channels);
  attributes.Set("pads", std::vector<int64_t>(4, kernel / 2));
  attributes.Set("strides", std::vector<int64_t>(2, stride));
  return attributes;
}

// A depthwise convolution, squeeze and excitation, a pointwise convolution.
Graph SqueezeAndExcitation(int64_t batch, int64_t channels, int64_t kernel, int64_t stride,
                           const char* activation) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {batch, channels, 12, 10});
  ValueId y = b.Op(
      "Conv", {x, Filters(b, Shape({channels, 1, kernel, kernel})), Filters(b, Shape({channels}))},
      Depthwise(channels, kernel, stride));
  if (*activation != 0) y = b.Op(activation, {y});
  const auto pointwise = [&](ValueId from, int64_t inputs, int64_t outputs) {
    return b.Op("Conv", {from, Filters(b, Shape({outputs, inputs, 1, 1}))});
  };
  const ValueId squeezed = b.Op("Relu", {pointwise(b.Op("GlobalAveragePool", {y}), channels, 4)});
  const ValueId scale = b.Op("Sigmoid", {pointwise(squeezed, 4, channels)});
  return b.Build({pointwise(b.Op("Mul", {scale, y}), channels, 24)});
}

TEST(FuseConvPools, AddsUpWhatAConvolutionWithItsActivationMakes) {
  for (const char* activation : {"", "Relu", "HardSwish"}) {
    Graph graph = SqueezeAndExcitation(2, 6, 3, 1, activation);
    const auto context = SupportsEverything();
    RunPass(FuseEpilogues, graph, context);
    ExpectSameAnswers(FuseConvPools, graph, {RandomTensor(Shape({2, 6, 12, 10}))}, 1, context);
    EXPECT_EQ(CountOps(graph, "GlobalAveragePool"), 0);
  }
}

TEST(FuseConvPools, TakesAMeanOverBothAxes) {
  for (const bool keeps : {false, true}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {2, 6, 4, 5});
    const ValueId y = b.Op("Conv", {x, Filters(b, Shape({6, 1, 3, 3}))}, Depthwise(6));
    Attributes keepdims;
    keepdims.Set("keepdims", int64_t{keeps});
    const ValueId axes = b.Constant<int64_t>(Shape({2}), {-1, 2});
    Graph graph = b.Build({y, b.Op("ReduceMean", {y, axes}, keepdims)});
    ExpectSameAnswers(FuseConvPools, graph, {RandomTensor(Shape({2, 6, 4, 5}))}, keeps ? 1 : 0,
                      SupportsEverything());
  }
}

TEST(FuseConvPools, LeavesAConvolutionWithMoreOfAnEpilogue) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 6, 4, 5});
  const ValueId y = b.Op("Conv", {x, Filters(b, Shape({6, 1, 3, 3}))}, Depthwise(6));
  const ValueId sum = b.Op("Add", {y, x});
  Graph graph = b.Build({sum, b.Op("GlobalAveragePool", {sum})});
  const auto context = SupportsEverything();
  EXPECT_EQ(RunPass(FuseEpilogues, graph, context), 1);
  EXPECT_EQ(RunPass(FuseConvPools, graph, context), 0);
}

TEST(FuseConvPools, AsksTheProvidersFirst) {
  Graph graph = SqueezeAndExcitation(1, 6, 3, 1, "");
  EXPECT_EQ(RunPass(FuseConvPools, graph), 0);
}

TEST(FuseConvPools, RunsSqueezeAndExcitationOnTheProcessor) {
  for (const int threads : {1, 2}) {
    for (const char* activation : {"Relu", "HardSwish"}) {
      ExpectSameOnTheProcessor(SqueezeAndExcitation(2, 40, 5, 1, activation),
                               RandomTensor(Shape({2, 40, 12, 10})), threads,
                               {"PooledConv"}, 2e-5f);
      ExpectSameOnTheProcessor(SqueezeAndExcitation(3, 33, 3, 2, activation),
                               RandomTensor(Shape({3, 33, 12, 10})), threads,
                               {"PooledConv"}, 2e-5f);
    }
  }
}

}  // namespace
}  // namespace inferd
