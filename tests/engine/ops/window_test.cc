#include "engine/ops/window.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Ints = std::vector<int64_t>;

absl::StatusOr<Window> Resolve(std::vector<std::pair<std::string, Attributes::Value>> attributes,
                               std::vector<Dim> input, std::vector<Dim> kernel = {}) {
  return ResolveWindow(MakeAttributes(std::move(attributes)), input, kernel);
}

TEST(Window, TakesExplicitPadsStridesAndDilations) {
  const auto window =
      Resolve({{"strides", Ints{2, 1}}, {"dilations", Ints{1, 2}}, {"pads", Ints{1, 0, 1, 2}}},
              {7, 9}, {3, 3});
  ASSERT_TRUE(window.ok()) << window.status();
  EXPECT_THAT(window->output, ElementsAre(4, 7));
  EXPECT_THAT(window->pads_end, ElementsAre(1, 2));
  EXPECT_EQ(window->output_elements(), 28);
}

TEST(Window, SplitsSamePaddingByTheMode) {
  const auto upper = Resolve({{"auto_pad", std::string("SAME_UPPER")}}, {5}, {4});
  EXPECT_THAT(upper->pads_begin, ElementsAre(1));
  EXPECT_THAT(upper->pads_end, ElementsAre(2));
  const auto lower = Resolve({{"auto_pad", std::string("SAME_LOWER")}}, {5}, {4});
  EXPECT_THAT(lower->pads_begin, ElementsAre(2));
  EXPECT_THAT(lower->output, ElementsAre(5));
}

TEST(Window, RoundsUpInCeilModeButDropsAWindowInThePadding) {
  const Attributes::Value kernel = Ints{2};
  EXPECT_THAT(
      Resolve({{"kernel_shape", Ints{3}}, {"strides", Ints{2}}, {"ceil_mode", int64_t{1}}}, {6})
          ->output,
      ElementsAre(3));
  EXPECT_THAT(Resolve({{"kernel_shape", Ints{1}},
                       {"strides", Ints{2}},
                       {"pads", Ints{0, 1}},
                       {"ceil_mode", int64_t{1}}},
                      {2})
                  ->output,
              ElementsAre(1));
}

TEST(Window, LeavesUnknownSizesUnknownAndKeepsSymbolsOfKeptSizes) {
  const Dim symbol = Dim::Symbol(3);
  const auto window = Resolve({{"pads", Ints{1, 0, 1, 0}}}, {symbol, symbol}, {3, 3});
  ASSERT_TRUE(window.ok()) << window.status();
  EXPECT_THAT(window->output, ElementsAre(-1, -1));
  const std::vector<Dim> dims = OutputDims(*window, {symbol, symbol});
  EXPECT_EQ(dims[0].symbol, 3);
  EXPECT_EQ(dims[1].symbol, -1);
}

TEST(Window, RefusesGeometryThatDoesNotFit) {
  EXPECT_THAT(std::string(Resolve({}, {2}, {3}).status().message()), HasSubstr("does not fit"));
  EXPECT_THAT(std::string(Resolve({{"strides", Ints{0}}}, {2}, {1}).status().message()),
              HasSubstr("strides"));
  EXPECT_THAT(std::string(Resolve({{"pads", Ints{1}}}, {2}, {1}).status().message()),
              HasSubstr("pads has 1 values, expected 2"));
  EXPECT_THAT(std::string(Resolve({{"pads", Ints{-1, 0}}}, {2}, {1}).status().message()),
              HasSubstr("pads"));
  EXPECT_THAT(std::string(Resolve({}, {2}).status().message()), HasSubstr("kernel_shape"));
  EXPECT_THAT(std::string(Resolve({{"kernel_shape", Ints{2}}}, {9}, {3}).status().message()),
              HasSubstr("the weights have 3"));
  EXPECT_FALSE(Resolve({{"dilations", Ints{INT64_MAX}}}, {9}, {3}).ok());
  EXPECT_FALSE(Resolve({}, {INT64_MAX}, {3}).ok());
}

TEST(Window, ResolvesTransposedOutputs) {
  const auto plain = ResolveTransposedWindow(
      MakeAttributes({{"strides", Ints{2}}, {"pads", Ints{1, 1}}, {"output_padding", Ints{1}}}),
      {Dim(4)}, {Dim(3)});
  EXPECT_THAT(plain->output, ElementsAre(8));
  const auto wanted = ResolveTransposedWindow(
      MakeAttributes({{"strides", Ints{2}}, {"output_shape", Ints{7}}}), {Dim(4)}, {Dim(3)});
  EXPECT_THAT(wanted->output, ElementsAre(7));
  EXPECT_THAT(wanted->pads_begin, ElementsAre(1));
}

TEST(Window, CountsTheTapsInsideTheInput) {
  const auto window = Resolve({{"pads", Ints{2, 2}}, {"dilations", Ints{2}}}, {3}, {3});
  const TapRange first = TapsInside(*window, 0, -2);
  EXPECT_EQ(first.begin, 1);
  EXPECT_EQ(first.end, 3);
  const TapRange behind = TapsInside(*window, 0, 3);
  EXPECT_EQ(behind.begin, behind.end);
}

}  // namespace
}  // namespace inferd::testing
