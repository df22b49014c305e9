#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

Tensor List(std::initializer_list<int64_t> values) {
  return Values<int64_t>({static_cast<int64_t>(values.size())}, values);
}

OpCase Pad(const char* mode, const Tensor& x, std::vector<std::optional<Tensor>> parameters,
           const Tensor& expected) {
  parameters.insert(parameters.begin(), x);
  return {.name = mode,
          .op = "Pad",
          .inputs = std::move(parameters),
          .outputs = {expected},
          .attributes = MakeAttributes({{"mode", std::string(mode)}})};
}

TEST(Pad, FillsInEveryMode) {
  const Tensor x = Values<int32_t>({3}, {1, 2, 3});
  const Tensor pads = List({2, 3});
  CheckOpCases({Pad("constant", x, {pads}, Values<int32_t>({8}, {0, 0, 1, 2, 3, 0, 0, 0})),
                Pad("constant", x, {pads, Values<int32_t>({}, {9})},
                    Values<int32_t>({8}, {9, 9, 1, 2, 3, 9, 9, 9})),
                Pad("edge", x, {pads}, Values<int32_t>({8}, {1, 1, 1, 2, 3, 3, 3, 3})),
                Pad("reflect", x, {pads}, Values<int32_t>({8}, {3, 2, 1, 2, 3, 2, 1, 2})),
                Pad("wrap", x, {pads}, Values<int32_t>({8}, {2, 3, 1, 2, 3, 1, 2, 3}))});
}

TEST(Pad, RemovesWithNegativePadsAndPadsChosenAxes) {
  const Tensor x = Values<float>({2, 2}, {1, 2, 3, 4});
  CheckOpCases(
      {Pad("constant", x, {List({0, -1, 1, 1})}, Values<float>({3, 2}, {2, 0, 4, 0, 0, 0})),
       Pad("constant", x, {List({1, 0}), Values<float>({1}, {7}), List({-1})},
           Values<float>({2, 3}, {7, 1, 2, 7, 3, 4}))});
}

TEST(Pad, RefusesPadsThatDoNotFit) {
  const Tensor x = Values<float>({2}, {1, 2});
  ExpectOpError(Pad("constant", x, {List({-3, 0})}, x), "pads -3 and 0 of axis 0");
  ExpectOpError(Pad("constant", x, {List({INT64_MAX, 1})}, x), "do not fit");
  ExpectOpError(Pad("constant", x, {List({1, 1, 1})}, x), "pads has 3 entries");
  ExpectOpError(Pad("mirror", x, {List({1, 1})}, x), "mode is \"mirror\"");
  ExpectOpError(Pad("edge", Values<float>({0}, {}), {List({1, 1})}, x), "empty");
  ExpectOpError(Pad("constant", x, {List({int64_t{1} << 40, 0})}, x), "limit");
}

}  // namespace
}  // namespace inferd::testing
