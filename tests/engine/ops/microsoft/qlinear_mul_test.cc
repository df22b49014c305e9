#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y) {
  return {.name = "QLinearMul",
          .op = "QLinearMul",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .domain = "com.microsoft"};
}

TEST(QLinearMul, MultipliesRealValues) {
  const Tensor a = Values<int8_t>({2}, {-3, 5});
  const Tensor half = Values<float>({}, {0.5f});
  const Tensor one = Values<int8_t>({}, {1});
  // a: -2, 2; -2*-2 / 0.5 + 1.
  CheckOpCase(Case({a, half, one, a, half, one, half, one}, Values<int8_t>({2}, {9, 9})));
}

}  // namespace
}  // namespace inferd::testing
