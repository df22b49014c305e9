#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y,
            std::vector<std::pair<std::string, Attributes::Value>> attributes = {}) {
  return {.name = "QLinearGlobalAveragePool",
          .op = "QLinearGlobalAveragePool",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .attributes = MakeAttributes(std::move(attributes)),
          .domain = "com.microsoft"};
}

TEST(QLinearGlobalAveragePool, AveragesInBothLayouts) {
  const Tensor one = Values<float>({}, {1});
  const Tensor zero = Values<int8_t>({}, {0});
  const Tensor x = Values<int8_t>({1, 2, 2}, {2, 4, 10, 20});
  CheckOpCases({Case({x, one, zero, one, zero}, Values<int8_t>({1, 2, 1}, {3, 15})),
                Case({x, one, zero, one, zero}, Values<int8_t>({1, 1, 2}, {6, 12}),
                     {{"channels_last", int64_t{1}}})});
}

}  // namespace
}  // namespace inferd::testing
