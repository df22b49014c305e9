#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y) {
  return {.name = "QLinearAdd",
          .op = "QLinearAdd",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .domain = "com.microsoft"};
}

const Tensor kHalf = Values<float>({}, {0.5f});

TEST(QLinearAdd, AddsRealValuesWithBroadcasting) {
  const Tensor a = Values<uint8_t>({2, 1}, {10, 20});
  const Tensor b = Values<uint8_t>({2}, {4, 6});
  const Tensor four = Values<uint8_t>({}, {4});
  const Tensor one = Values<float>({1}, {1});
  // a: 3, 8; b: 4, 6.
  CheckOpCase(Case({a, kHalf, four, b, one, std::nullopt, kHalf, four},
                   Values<uint8_t>({2, 2}, {18, 22, 28, 32})));
}

TEST(QLinearAdd, SaturatesAndTakesZeroForAbsentZeroPoints) {
  const Tensor a = Values<int8_t>({3}, {100, -100, 1});
  CheckOpCase(Case({a, kHalf, std::nullopt, a, kHalf, std::nullopt, kHalf},
                   Values<int8_t>({3}, {127, -128, 2})));
}

TEST(QLinearAdd, RefusesOtherTypesAndScales) {
  const Tensor a = Values<int8_t>({1}, {1});
  const Tensor pair = Values<float>({2}, {1, 1});
  ExpectOpError(Case({a, pair, std::nullopt, a, kHalf, std::nullopt, kHalf}, a), "one element");
  ExpectOpError(Case({kHalf, kHalf, std::nullopt, a, kHalf, std::nullopt, kHalf}, a),
                "input 0 has element type float32");
  ExpectOpError(Case({a, kHalf, Values<uint8_t>({}, {1}), a, kHalf, std::nullopt, kHalf}, a),
                "input 2 has element type uint8");
  ExpectOpError(Case({a, kHalf}, a), "input 3 is absent");
}

}  // namespace
}  // namespace inferd::testing
