#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y,
            std::vector<std::pair<std::string, Attributes::Value>> attributes = {}) {
  return {.name = "QLinearReduceMean",
          .op = "QLinearReduceMean",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .attributes = MakeAttributes(std::move(attributes)),
          .domain = "com.microsoft"};
}

TEST(QLinearReduceMean, AveragesAlongItsAxes) {
  const Tensor x = Values<uint8_t>({2, 2}, {2, 4, 6, 10});
  const Tensor one = Values<float>({}, {1});
  const Tensor half = Values<float>({}, {0.5f});
  CheckOpCases({Case({x, one, std::nullopt, half}, Values<uint8_t>({2, 1}, {6, 16}),
                     {{"axes", std::vector<int64_t>{-1}}}),
                Case({x, one, std::nullopt, half}, Values<uint8_t>({2}, {8, 14}),
                     {{"axes", std::vector<int64_t>{0}}, {"keepdims", int64_t{0}}})});
  ExpectOpError(Case({x, one, std::nullopt, half}, x, {{"axes", std::vector<int64_t>{2}}}),
                "axis 2");
}

}  // namespace
}  // namespace inferd::testing
