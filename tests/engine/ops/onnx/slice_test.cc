#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

Tensor List(std::initializer_list<int64_t> values) {
  return Values<int64_t>({static_cast<int64_t>(values.size())}, values);
}

OpCase Slice(const Tensor& x, std::vector<std::optional<Tensor>> parameters,
             const Tensor& expected) {
  parameters.insert(parameters.begin(), x);
  return {.op = "Slice", .inputs = std::move(parameters), .outputs = {expected}};
}

TEST(Slice, TakesRangesForwardsAndBackwards) {
  const Tensor x = Values<int32_t>({5}, {0, 1, 2, 3, 4});
  CheckOpCases(
      {Slice(x, {List({1}), List({3})}, Values<int32_t>({2}, {1, 2})),
       Slice(x, {List({-2}), List({INT64_MAX})}, Values<int32_t>({2}, {3, 4})),
       Slice(x, {List({0}), List({5}), List({0}), List({2})}, Values<int32_t>({3}, {0, 2, 4})),
       Slice(x, {List({4}), List({INT64_MIN}), List({0}), List({-2})},
             Values<int32_t>({3}, {4, 2, 0})),
       Slice(x, {List({-1}), List({-4}), List({-1}), List({-1})}, Values<int32_t>({3}, {4, 3, 2})),
       Slice(x, {List({3}), List({1})}, Values<int32_t>({0}, {})),
       Slice(x, {List({2}), List({INT64_MIN}), List({0}), List({INT64_MIN})},
             Values<int32_t>({1}, {2})),
       Slice(x, {List({0}), List({5}), List({0}), List({INT64_MAX})}, Values<int32_t>({1}, {0}))});
}

TEST(Slice, TakesPartsOfSeveralAxes) {
  const Tensor x = Values<std::string>({2, 3}, {"a", "b", "c", "d", "e", "f"});
  CheckOpCases(
      {Slice(x, {List({0, 1}), List({2, 3})}, Values<std::string>({2, 2}, {"b", "c", "e", "f"})),
       Slice(x, {List({1, 1}), List({3, 2}), List({1, 0})},
             Values<std::string>({1, 2}, {"e", "f"}))});
}

TEST(Slice, SlicesAnEmptyAxis) {
  const Tensor x = Values<float>({0, 2}, {});
  CheckOpCase(Slice(x, {List({-1}), List({INT64_MIN}), List({0}), List({-1})}, x));
}

TEST(Slice, RefusesBadParameters) {
  const Tensor x = Values<int32_t>({5}, {0, 1, 2, 3, 4});
  ExpectOpError(Slice(x, {List({0}), List({1}), List({0}), List({0})}, x), "step is 0");
  ExpectOpError(Slice(x, {List({0}), List({1}), List({1})}, x), "axis 1");
  ExpectOpError(Slice(x, {List({0, 0}), List({1})}, x), "entries");
  ExpectOpError(Slice(x, {List({0, 0}), List({1, 1}), List({0, -1})}, x), "given twice");
}

}  // namespace
}  // namespace inferd::testing
