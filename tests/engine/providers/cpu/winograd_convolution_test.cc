#include "engine/providers/cpu/winograd_convolution.h"

#include <cmath>
#include <limits>

#include "engine/core/status_macros.h"
#include "engine/plan/weight_store.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"
#include "tests/engine/providers/cpu/provider_case.h"

namespace inferd::cpu {
namespace {

// Runs what Winograd takes by it, whether or not that is fastest.
OneKernelProvider WinogradProvider(int out_tile) {
  return OneKernelProvider(
      [out_tile](const Graph& graph, const Node& node,
                 const PrepareContext& context) -> absl::StatusOr<std::unique_ptr<BoundKernel>> {
        ASSIGN_OR_RETURN(const Convolution conv, DescribeConvolution(graph, node, false));
        const auto shape = WinogradShapeOf(graph, node, conv, out_tile);
        if (!shape) return absl::UnimplementedError("not a case for Winograd");
        return PrepareWinograd(graph, node, context, *shape);
      });
}

struct ConvShape {
  Shape x;
  int64_t outputs;
  std::vector<int64_t> pads = {1, 1, 1, 1};
};

ProviderCase CaseOf(const ConvShape& shape, bool bias = true) {
  ProviderCase test("Conv", AttributesOf({{"pads", shape.pads}}));
  test.Input(RandomFloats(shape.x, -1, 1, 1))
      .Constant(RandomFloats({shape.outputs, shape.x[1], 3, 3}, -1, 1, 2));
  if (bias) test.Constant(RandomFloats(Shape({shape.outputs}), -1, 1, 3));
  return test;
}

void ExpectAgrees(ProviderCase test, double tolerance = 3e-6) {
  for (const int out_tile : {2, 4}) {
    for (const int threads : {1, 2}) {
      ProviderCase copy = test;
      OneKernelProvider provider = WinogradProvider(out_tile);
      copy.threads = threads;
      EXPECT_NE(copy.ExpectAgreesOn(provider, tolerance), "") << "tiles of " << out_tile;
    }
  }
}

TEST(WinogradConvolution, AgreesOverOddShapesAndPads) {
  const ConvShape shapes[] = {
      {{1, 16, 8, 8}, 16},
      {{1, 16, 3, 3}, 16, {0, 0, 0, 0}},
      {{1, 1, 1, 1}, 1},
      {{2, 3, 9, 7}, 5},
      {{3, 17, 11, 13}, 33},
      {{1, 31, 6, 5}, 47, {0, 2, 1, 0}},
      {{1, 8, 5, 5}, 8, {4, 7, 6, 9}},
      {{1, 65, 7, 7}, 66, {2, 2, 2, 2}},
      {{2, 128, 14, 14}, 32},
      {{1, 48, 40, 3}, 24},
      {{1, 24, 2, 60}, 40},
  };
  for (const ConvShape& shape : shapes) {
    ExpectAgrees(CaseOf(shape, true));
    ExpectAgrees(CaseOf(shape, false));
  }
}

TEST(WinogradConvolution, AgreesOverManyBlocksAndFewTilesForManyThreads) {
  ExpectAgrees(CaseOf({{3, 40, 61, 59}, 35}));
  ExpectAgrees(CaseOf({{1, 256, 7, 7}, 200}));
  ExpectAgrees(CaseOf({{1, 128, 5, 5}, 128}).Then("HardSwish"));
}

TEST(WinogradConvolution, AppliesEpiloguesToSumsAndToFinishedTiles) {
  for (const ConvShape& shape : {ConvShape{{2, 16, 9, 10}, 24}, ConvShape{{1, 20, 31, 30}, 35}}) {
    const Tensor same = RandomFloats({shape.x[0], shape.outputs, shape.x[2], shape.x[3]}, -3, 3, 4);
    const Tensor channels = RandomFloats({shape.outputs, 1, 1}, -2, 2, 5);
    ExpectAgrees(CaseOf(shape).Then("Relu"));
    ExpectAgrees(CaseOf(shape).Then("Clip", AttributesOf({{"min", -15.0f}, {"max", 15.0f}})));
    ExpectAgrees(CaseOf(shape).Then("Clip", AttributesOf({{"max", 3.0f}})));
    ExpectAgrees(CaseOf(shape).ThenWith("Add", same));
    ExpectAgrees(CaseOf(shape).ThenWith("Add", same).Then("Relu"));
    ExpectAgrees(CaseOf(shape).ThenWith("Add", same, /*constant=*/true).Then("Relu"));
    ExpectAgrees(CaseOf(shape).Then("Relu").ThenWith("Add", same));
    ExpectAgrees(CaseOf(shape).Then("Relu").ThenWith("Add", same).Then("Sigmoid"), 1e-5);
    ExpectAgrees(CaseOf(shape).ThenWith("Mul", channels, true).Then("Relu"));
    ExpectAgrees(CaseOf(shape).Then("HardSwish").ThenWith("Sub", same, false, true));
    ExpectAgrees(CaseOf(shape).Then("Swish"));
  }
}

TEST(WinogradConvolution, KeepsNotANumber) {
  Tensor x = RandomFloats({1, 16, 12, 12});
  x.mutable_data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  ProviderCase nan("Conv", AttributesOf({{"pads", Ints({1, 1, 1, 1})}}));
  nan.Input(x).Constant(RandomFloats({16, 16, 3, 3})).Then("Relu");
  OneKernelProvider provider = WinogradProvider(4);
  const absl::StatusOr<Tensor> y = nan.Run(provider, PrepareContext());
  ASSERT_TRUE(y.ok()) << y.status();
  EXPECT_TRUE(std::isnan(y->data<float>()[0]));
  EXPECT_FALSE(std::isnan(y->data<float>()[11]));
}

TEST(WinogradConvolution, IsRefusedForOtherConvolutions) {
  OneKernelProvider provider = WinogradProvider(4);
  const auto refused = [&](ProviderCase test) {
    return absl::IsUnimplemented(test.Run(provider, PrepareContext()).status());
  };
  const Shape x({1, 16, 12, 12});
  const auto with = [&](Attributes attributes, const Shape& w) {
    ProviderCase test("Conv", std::move(attributes));
    return test.Input(RandomFloats(x)).Constant(RandomFloats(w));
  };
  EXPECT_TRUE(refused(with(AttributesOf({{"strides", Ints({2, 1})}}), {16, 16, 3, 3})));
  EXPECT_TRUE(refused(with(AttributesOf({{"dilations", Ints({1, 2})}}), {16, 16, 3, 3})));
  EXPECT_TRUE(refused(with(AttributesOf({{"group", int64_t{2}}}), {16, 8, 3, 3})));
  EXPECT_TRUE(refused(with(Attributes(), {16, 16, 1, 3})));
  EXPECT_TRUE(refused(CaseOf({{1, 16, 9, 9}, 16}).KeepRowMajor()));
  EXPECT_TRUE(refused(CaseOf({{1, 8193, 3, 3}, 1})));
  ProviderCase computed("Conv");
  computed.Input(RandomFloats(x)).Input(RandomFloats({16, 16, 3, 3}));
  EXPECT_TRUE(refused(computed));
}

TEST(WinogradConvolution, IsRefusedForOtherElementTypes) {
  ProviderCase test = CaseOf({{1, 16, 9, 9}, 16});
  ASSERT_TRUE(test.Bind().ok());
  const ValueId x = test.node().inputs[0];
  const ValueId y = test.node().outputs[0];
  for (const ValueId id : {x, y}) test.graph().value(id).layout = Layout::kChannelsLast;
  EXPECT_TRUE(TakesOwnConvolution(test.graph(), test.node()));
  for (const ValueId id : {x, test.node().inputs[1], y}) {
    test.graph().value(id).type.dtype = DType::kBfloat16;
    EXPECT_FALSE(TakesOwnConvolution(test.graph(), test.node()));
    test.graph().value(id).type.dtype = DType::kFloat32;
  }
}

TEST(WinogradConvolution, IsChosenWhereItIsFaster) {
  const auto kernel_of = [](const ConvShape& shape) { return CaseOf(shape).ExpectAgrees(3e-6); };
  EXPECT_EQ(kernel_of({{1, 64, 56, 56}, 64}), "simd:winograd4");
  EXPECT_EQ(kernel_of({{1, 512, 7, 7}, 512}), "simd:winograd2");
  EXPECT_EQ(kernel_of({{8, 512, 7, 7}, 64}), "simd:winograd4");
  EXPECT_NE(kernel_of({{1, 3, 30, 30}, 20}).substr(0, 4), "simd");
}

TEST(WinogradConvolution, PacksWeightsOnce) {
  ProviderCase test = CaseOf({{1, 32, 12, 12}, 32});
  OneKernelProvider provider = WinogradProvider(4);
  PrepareContext context;
  WeightStore weights;
  context.weights = &weights;
  ASSERT_TRUE(test.Run(provider, context).ok());
  const int64_t bytes = weights.packed_bytes();
  EXPECT_EQ(bytes, 36 * 32 * 32 * 4);
  ProviderCase again = test;
  ASSERT_TRUE(again.Run(provider, context).ok());
  EXPECT_EQ(weights.packed_bytes(), bytes);
  EXPECT_TRUE(test.kernel()->holds_input(1));
  EXPECT_FALSE(test.kernel()->holds_input(0));
}

}  // namespace
}  // namespace inferd::cpu
