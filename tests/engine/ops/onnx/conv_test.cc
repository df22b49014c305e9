#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Ints = std::vector<int64_t>;
using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

OpCase Conv(const Tensor& x, const Tensor& w, std::optional<Tensor> b, const Tensor& y,
            Pairs attributes = {}) {
  return {.name = "Conv",
          .op = "Conv",
          .inputs = {x, w, std::move(b)},
          .outputs = {y},
          .attributes = MakeAttributes(std::move(attributes))};
}

TEST(Conv, SlidesOverOneTwoAndThreeDimensions) {
  CheckOpCases(
      {Conv(Values<float>({1, 1, 4}, {1, 2, 3, 4}), Values<float>({1, 1, 2}, {1, -1}), std::nullopt,
            Values<float>({1, 1, 3}, {-1, -1, -1})),
       Conv(Values<float>({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}),
            Values<float>({1, 1, 2, 2}, {1, 0, 0, 1}), Values<float>({1}, {10}),
            Values<float>({1, 1, 2, 2}, {16, 18, 22, 24})),
       Conv(Values<float>({1, 1, 1, 2, 2}, {1, 2, 3, 4}), Values<float>({1, 1, 1, 1, 2}, {1, 1}),
            std::nullopt, Values<float>({1, 1, 1, 2, 1}, {3, 7}))});
}

TEST(Conv, KeepsGroupsApart) {
  CheckOpCase(Conv(Values<float>({1, 2, 2}, {1, 2, 3, 4}), Values<float>({4, 1, 1}, {1, 2, 3, 4}),
                   std::nullopt, Values<float>({1, 4, 2}, {1, 2, 2, 4, 9, 12, 12, 16}),
                   {{"group", int64_t{2}}}));
}

TEST(Conv, SumsManyInputChannelsWithPadsStridesAndDilations) {
  // Five channels pass the four-at-a-time and the single path.
  CheckOpCase(Conv(Values<float>({1, 5, 3}, {1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3}),
                   Values<float>({1, 5, 2}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}), std::nullopt,
                   Values<float>({1, 1, 2}, {10, 10}),
                   {{"pads", Ints{1, 1}}, {"strides", Ints{2}}, {"dilations", Ints{2}}}));
}

TEST(Conv, AccumulatesHalfPrecisionInFloat) {
  const Tensor ones = ValuesAs(DType::kFloat16, {1, 1, 3}, {2048, 1, 1});
  const Tensor weights = ValuesAs(DType::kFloat16, {1, 1, 3}, {1, 1, 1});
  CheckOpCase(Conv(ones, weights, std::nullopt, ValuesAs(DType::kFloat16, {1, 1, 1}, {2050})));
}

TEST(Conv, RefusesShapesThatDoNotFit) {
  const Tensor x = Values<float>({1, 2, 2}, {1, 2, 3, 4});
  const Tensor w = Values<float>({1, 2, 1}, {1, 1});
  ExpectOpError(Conv(x, Values<float>({1, 3, 1}, {1, 1, 1}), std::nullopt, x), "3 channels");
  ExpectOpError(Conv(x, Values<float>({1, 2, 3}, {1, 1, 1, 1, 1, 1}), std::nullopt, x),
                "does not fit");
  ExpectOpError(Conv(x, w, std::nullopt, x, {{"group", int64_t{3}}}), "group 3 does not divide");
  ExpectOpError(Conv(x, w, std::nullopt, x, {{"group", int64_t{0}}}), "group is 0");
  ExpectOpError(Conv(x, w, Values<float>({2}, {1, 2}), x), "B has shape [2]");
  ExpectOpError(Conv(x, Values<float>({1, 2, 1, 1}, {1, 1}), std::nullopt, x), "expected rank 3");
}

}  // namespace
}  // namespace inferd::testing
