#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Ints = std::vector<int64_t>;
using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

OpCase ConvTranspose(const Tensor& x, const Tensor& w, const Tensor& y, Pairs attributes = {}) {
  return {.name = "ConvTranspose",
          .op = "ConvTranspose",
          .inputs = {x, w},
          .outputs = {y},
          .attributes = MakeAttributes(std::move(attributes))};
}

TEST(ConvTranspose, SpreadsEveryInputOverItsWindow) {
  const Tensor x = Values<float>({1, 1, 3}, {1, 2, 3});
  const Tensor w = Values<float>({1, 1, 2}, {1, 10});
  CheckOpCases(
      {ConvTranspose(x, w, Values<float>({1, 1, 4}, {1, 12, 23, 30})),
       ConvTranspose(x, w, Values<float>({1, 1, 6}, {1, 10, 2, 20, 3, 30}), {{"strides", Ints{2}}}),
       ConvTranspose(x, w, Values<float>({1, 1, 2}, {12, 23}), {{"pads", Ints{1, 1}}}),
       ConvTranspose(x, w, Values<float>({1, 1, 5}, {1, 12, 23, 30, 0}),
                     {{"output_padding", Ints{1}}})});
}

TEST(ConvTranspose, KeepsGroupsApart) {
  CheckOpCase(ConvTranspose(Values<float>({1, 2, 1}, {1, 2}),
                            Values<float>({2, 2, 1}, {1, 2, 3, 4}),
                            Values<float>({1, 4, 1}, {1, 2, 6, 8}), {{"group", int64_t{2}}}));
}

TEST(ConvTranspose, RefusesPadsThatCutTheWholeOutput) {
  const Tensor x = Values<float>({1, 1, 1}, {1});
  ExpectOpError(ConvTranspose(x, x, x, {{"pads", Ints{1, 1}}}), "cut more than the output");
  ExpectOpError(ConvTranspose(x, Values<float>({2, 1, 1}, {1, 2}), x), "W");
}

}  // namespace
}  // namespace inferd::testing
