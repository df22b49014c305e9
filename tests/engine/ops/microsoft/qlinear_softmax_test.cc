#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y,
            std::vector<std::pair<std::string, Attributes::Value>> attributes = {}) {
  return {.name = "QLinearSoftmax",
          .op = "QLinearSoftmax",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .attributes = MakeAttributes(std::move(attributes)),
          .domain = "com.microsoft"};
}

Tensor Scale(float value) { return Values<float>({}, {value}); }

TEST(QLinearSoftmax, WorksAlongOneAxisFromOpset13On) {
  const Tensor x = Values<uint8_t>({2, 2}, {7, 7, 7, 7});
  const std::vector<std::optional<Tensor>> inputs = {x, Scale(1), std::nullopt, Scale(1 / 256.0f),
                                                     Values<uint8_t>({}, {0})};
  CheckOpCases({Case(inputs, Values<uint8_t>({2, 2}, {128, 128, 128, 128}),
                     {{"axis", int64_t{0}}, {"opset", int64_t{13}}}),
                Case(inputs, Values<uint8_t>({2, 2}, {64, 64, 64, 64}),
                     {{"axis", int64_t{0}}, {"opset", int64_t{12}}})});
  ExpectOpError(Case(inputs, x, {{"axis", int64_t{2}}}), "axis 2");
}

}  // namespace
}  // namespace inferd::testing
