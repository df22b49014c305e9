#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y,
            std::vector<std::pair<std::string, Attributes::Value>> attributes = {}) {
  return {.name = "QLinearLeakyRelu",
          .op = "QLinearLeakyRelu",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .attributes = MakeAttributes(std::move(attributes)),
          .domain = "com.microsoft"};
}

TEST(QLinearLeakyRelu, ScalesNegativeValues) {
  const Tensor x = Values<int8_t>({2}, {-40, 40});
  const Tensor one = Values<float>({}, {1});
  const Tensor zero = Values<int8_t>({}, {0});
  CheckOpCases({Case({x, one, zero, one, zero}, Values<int8_t>({2}, {-20, 40}), {{"alpha", 0.5f}}),
                Case({x, one, zero, one, zero}, Values<int8_t>({2}, {0, 40}))});
}

}  // namespace
}  // namespace inferd::testing
