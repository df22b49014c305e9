#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y) {
  return {.name = "DynamicQuantizeMatMul",
          .op = "DynamicQuantizeMatMul",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .domain = "com.microsoft"};
}

TEST(DynamicQuantizeMatMul, RoundsAToItsRange) {
  // The range is 0 to 255: quanta of 1.
  const Tensor a = Values<float>({1, 2}, {255, 1.4f});
  const Tensor b = Values<int8_t>({2, 1}, {1, 10});
  const Tensor half = Values<float>({}, {0.5f});
  CheckOpCases({Case({a, b, half}, Values<float>({1, 1}, {132.5f})),
                Case({a, b, half, Values<int8_t>({1}, {1}), Values<float>({1}, {1})},
                     Values<float>({1, 1}, {5.5f}))});
  ExpectOpError(Case({b, b, half}, std::nullopt), "expected float32");
}

TEST(DynamicQuantizeMatMul, TakesEmptyMatrices) {
  const Tensor half = Values<float>({}, {0.5f});
  CheckOpCase(Case({Values<float>({0, 2}, {}), Values<int8_t>({2, 1}, {1, 2}), half},
                   Values<float>({0, 1}, {})));
}

}  // namespace
}  // namespace inferd::testing
