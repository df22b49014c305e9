#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Suppress(std::vector<std::optional<Tensor>> limits, const Tensor& selected) {
  std::vector<std::optional<Tensor>> inputs = {
      Values<float>({1, 3, 4}, {0, 0, 1, 1, 0, 0, 1, 0.9, 2, 2, 3, 3}),
      Values<float>({1, 1, 3}, {0.8, 0.9, 0.5})};
  inputs.insert(inputs.end(), limits.begin(), limits.end());
  return {.name = "NonMaxSuppression",
          .op = "NonMaxSuppression",
          .inputs = std::move(inputs),
          .outputs = {selected}};
}

const Tensor Most(int64_t count) { return Values<int64_t>({1}, {count}); }
const Tensor Number(float value) { return Values<float>({1}, {value}); }

TEST(NonMaxSuppression, KeepsTheBestOfOverlappingBoxes) {
  CheckOpCases(
      {Suppress({Most(9), Number(0.5)}, Values<int64_t>({2, 3}, {0, 0, 1, 0, 0, 2})),
       Suppress({Most(9), Number(0.95)}, Values<int64_t>({3, 3}, {0, 0, 1, 0, 0, 0, 0, 0, 2})),
       Suppress({Most(1), Number(0.5)}, Values<int64_t>({1, 3}, {0, 0, 1})),
       Suppress({Most(9), Number(0.5), Number(0.6)}, Values<int64_t>({1, 3}, {0, 0, 1})),
       Suppress({}, Values<int64_t>({0, 3}, {}))});
}

TEST(NonMaxSuppression, RefusesAThresholdOutsideItsRange) {
  ExpectOpError(Suppress({Most(1), Number(1.5)}, Most(0)), "iou_threshold is 1.5");
}

}  // namespace
}  // namespace inferd::testing
