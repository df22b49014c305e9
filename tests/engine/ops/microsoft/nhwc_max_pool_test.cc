#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y,
            std::vector<std::pair<std::string, Attributes::Value>> attributes = {}) {
  return {.name = "NhwcMaxPool",
          .op = "NhwcMaxPool",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .attributes = MakeAttributes(std::move(attributes)),
          .domain = "com.microsoft"};
}

using Ints = std::vector<int64_t>;

TEST(NhwcMaxPool, TakesChannelsLast) {
  CheckOpCase(Case({Values<int8_t>({1, 3, 2}, {1, 9, 5, -3, 2, 4})},
                   Values<int8_t>({1, 2, 2}, {5, 9, 5, 4}), {{"kernel_shape", Ints{2}}}));
  ExpectOpError(Case({Values<float>({1, 1, 1}, {1})}, std::nullopt, {{"kernel_shape", Ints{1}}}),
                "expected int8 or uint8");
}

}  // namespace
}  // namespace inferd::testing
