#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y,
            std::vector<std::pair<std::string, Attributes::Value>> attributes = {}) {
  return {.name = "QLinearConv",
          .op = "QLinearConv",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .attributes = MakeAttributes(std::move(attributes)),
          .domain = "com.microsoft"};
}

TEST(QLinearConv, TakesChannelsLast) {
  const Tensor one = Values<float>({}, {1});
  const Tensor zero = Values<uint8_t>({}, {0});
  const Tensor w = Values<uint8_t>({1, 2, 1}, {1, 2});
  const auto inputs = [&](const Tensor& x) {
    return std::vector<std::optional<Tensor>>{x, one, zero, w, one, zero, one, zero};
  };
  CheckOpCases(
      {Case(inputs(Values<uint8_t>({1, 2, 2}, {1, 2, 3, 4})), Values<uint8_t>({1, 1, 2}, {7, 10})),
       Case(inputs(Values<uint8_t>({1, 2, 2}, {1, 2, 3, 4})), Values<uint8_t>({1, 2, 1}, {5, 11}),
            {{"channels_last", int64_t{1}}})});
  ExpectOpError(
      Case(inputs(Values<uint8_t>({1, 2}, {1, 2})), zero, {{"channels_last", int64_t{1}}}),
      "expected rank 3");
}

}  // namespace
}  // namespace inferd::testing
