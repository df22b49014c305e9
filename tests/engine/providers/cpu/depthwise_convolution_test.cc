#include "engine/providers/cpu/depthwise_convolution.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"
#include "engine/core/status_macros.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"
#include "tests/engine/providers/cpu/provider_case.h"

namespace inferd::cpu {
namespace {

struct ConvShape {
  Shape x;
  int64_t kernel = 3;
  int64_t stride = 1;
  std::vector<int64_t> pads = {1, 1, 1, 1};
};

ProviderCase CaseOf(const ConvShape& shape, bool bias = true) {
  const int64_t channels = shape.x[1];
  ProviderCase test("Conv", AttributesOf({{"pads", shape.pads},
                                          {"strides", Ints({shape.stride, shape.stride})},
                                          {"group", channels}}));
  test.Input(RandomFloats(shape.x, -1, 1, 1))
      .Constant(RandomFloats({channels, 1, shape.kernel, shape.kernel}, -1, 1, 2));
  if (bias) test.Constant(RandomFloats(Shape({channels}), -1, 1, 3));
  return test;
}

// Runs the own kernel, whether or not it is the fastest.
OneKernelProvider DepthwiseProvider() {
  return OneKernelProvider(
      [](const Graph& graph, const Node& node,
         const PrepareContext& context) -> absl::StatusOr<std::unique_ptr<BoundKernel>> {
        ASSIGN_OR_RETURN(const Convolution conv, DescribeConvolution(graph, node, false));
        const auto shape = DepthwiseShapeOf(graph, node, conv);
        if (!shape) return absl::UnimplementedError("not a case for the own kernel");
        return PrepareDepthwise(graph, node, context, *shape);
      });
}

void ExpectAgrees(ProviderCase test, double tolerance = 2e-6) {
  for (const int threads : {1, 2}) {
    ProviderCase copy = test;
    OneKernelProvider provider = DepthwiseProvider();
    copy.threads = threads;
    EXPECT_NE(copy.ExpectAgreesOn(provider, tolerance), "");
  }
}

TEST(DepthwiseConvolution, AgreesOverOddShapesPadsAndStrides) {
  for (const int64_t kernel : {3, 5, 7}) {
    for (const int64_t stride : {1, 2}) {
      for (const int64_t channels : {2, 16, 31, 40, 81}) {
        for (const int64_t width : {7, 10, 15, 33}) {
          const int64_t pad = kernel / 2;
          ExpectAgrees(CaseOf({{2, channels, 9, width}, kernel, stride, {pad, pad, pad, pad}}));
        }
        ExpectAgrees(CaseOf({{1, channels, 12, 8}, kernel, stride, {0, 2, 1, 0}}, false));
        ExpectAgrees(CaseOf({{1, channels, 3, 2}, kernel, stride, {6, 9, 8, 7}}));
      }
    }
  }
}

TEST(DepthwiseConvolution, AgreesOverSharedRows) {
  ExpectAgrees(CaseOf({{3, 64, 61, 59}, 3, 1}));
  ExpectAgrees(CaseOf({{3, 100, 61, 59}, 5, 2, {2, 2, 2, 2}}).Then("HardSwish"));
}

TEST(DepthwiseConvolution, AppliesEpiloguesToSumsAndToFinishedRows) {
  const ConvShape shape{{2, 24, 10, 11}};
  const Tensor same = RandomFloats({2, 24, 10, 11}, -3, 3, 4);
  ExpectAgrees(CaseOf(shape).Then("Relu"));
  ExpectAgrees(CaseOf(shape).Then("Clip", AttributesOf({{"min", 0.0f}, {"max", 6.0f}})));
  ExpectAgrees(CaseOf(shape).Then("HardSwish"));
  ExpectAgrees(CaseOf(shape).Then("Swish"));
  ExpectAgrees(CaseOf(shape).ThenWith("Add", same));
  ExpectAgrees(CaseOf(shape).ThenWith("Add", same, /*constant=*/true).Then("Relu"));
  ExpectAgrees(CaseOf(shape).ThenWith("Add", same).Then("Relu").ThenWith("Mul", same));
  ExpectAgrees(CaseOf(shape).Then("Sigmoid").ThenWith("Sub", same, false, true), 1e-5);
}

TEST(DepthwiseConvolution, IsChosenForLargeWindowsManyChannelsAndSlowEpilogues) {
  EXPECT_EQ(CaseOf({{1, 40, 14, 14}}).Then("Swish").ExpectAgrees(), "simd:depthwise+Swish");
  EXPECT_EQ(CaseOf({{1, 40, 14, 14}}).Then("Relu").ExpectAgrees().substr(0, 4), "brdg");
  EXPECT_EQ(CaseOf({{1, 40, 14, 14}, 5, 1, {2, 2, 2, 2}}).Then("Relu").ExpectAgrees(),
            "simd:depthwise+Relu");
  EXPECT_EQ(CaseOf({{1, 480, 14, 14}}).ExpectAgrees(), "simd:depthwise");
}

TEST(DepthwiseConvolution, ReadsRowsOfARingAsThoseOfAnImage) {
  constexpr int64_t kLine = 12 * 5;
  const DepthwiseShape shape{.channels = 5,
                             .height = 7,
                             .width = 12,
                             .out_height = 7,
                             .out_width = 12,
                             .pad_top = 1,
                             .pad_left = 1};
  const Tensor x = RandomFloats({7 * kLine});
  const Tensor weights = RandomFloats({9 * 5});
  const std::vector<float> zeros(5, 0.0f);
  const auto row_of = [&](const float* from, int64_t ring_rows, int64_t row) {
    std::vector<float> y(7 * kLine);
    DepthwiseRow(shape,
                 {.x = from,
                  .weights = weights.data<float>(),
                  .zeros = zeros.data(),
                  .bias = nullptr,
                  .add = nullptr,
                  .low = -1e30f,
                  .high = 1e30f,
                  .y = y.data(),
                  .ring_rows = ring_rows},
                 row);
    return y;
  };
  for (int64_t row = 0; row < 7; ++row) {
    std::vector<float> ring(3 * kLine, NAN);
    for (int64_t i = std::max<int64_t>(0, row - 1); i < std::min<int64_t>(7, row + 2); ++i) {
      std::copy_n(x.data<float>() + i * kLine, kLine, ring.begin() + i % 3 * kLine);
    }
    EXPECT_EQ(row_of(x.data<float>(), 0, row), row_of(ring.data(), 3, row)) << "row " << row;
  }
}

TEST(DepthwiseConvolution, LeavesOtherGroupsToOneDnn) {
  const auto with = [](Attributes attributes, const Shape& w) {
    ProviderCase test("Conv", std::move(attributes));
    test.Input(RandomFloats({1, 16, 12, 12})).Constant(RandomFloats(w));
    return test.ExpectAgrees();
  };
  const auto attributes = [](const char* name, std::vector<int64_t> values) {
    return AttributesOf({{"group", int64_t{16}}, {name, std::move(values)}});
  };
  for (const std::string& description : {with(attributes("strides", {1, 2}), {16, 1, 3, 3}),
                                         with(attributes("dilations", {2, 2}), {16, 1, 3, 3}),
                                         with(attributes("strides", {1, 1}), {32, 1, 3, 3}),
                                         with(attributes("strides", {1, 1}), {16, 1, 4, 4}),
                                         with(attributes("strides", {1, 1}), {16, 1, 1, 3})}) {
    EXPECT_FALSE(absl::StartsWith(description, "simd")) << description;
  }
}

}  // namespace
}  // namespace inferd::cpu
