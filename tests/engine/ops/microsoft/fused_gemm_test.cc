#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y,
            std::vector<std::pair<std::string, Attributes::Value>> attributes = {}) {
  return {.name = "FusedGemm",
          .op = "FusedGemm",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .attributes = MakeAttributes(std::move(attributes)),
          .domain = "com.microsoft"};
}

TEST(FusedGemm, ActivatesTheProduct) {
  const Tensor a = Values<float>({1, 2}, {1, -2});
  const Tensor b = Values<float>({2, 2}, {1, 0, 0, 1});
  CheckOpCases({Case({a, b}, Values<float>({1, 2}, {1, 0}), {{"activation", std::string("Relu")}}),
                Case({a, b, Values<float>({2}, {1, 1})}, Values<float>({1, 2}, {2, -0.5f}),
                     {{"activation", std::string("LeakyRelu")}, {"activation_alpha", 0.5f}}),
                Case({a, b}, Values<float>({1, 2}, {0, 0}),
                     {{"activation", std::string("ThresholdedRelu")}, {"activation_alpha", 1.5f}}),
                Case({a, b}, Values<float>({1, 2}, {2, -1.7293294f}),
                     {{"activation", std::string("Selu")},
                      {"activation_alpha", 1.0f},
                      {"activation_gamma", 2.0f}})});
  ExpectOpError(Case({a, b}, std::nullopt, {{"activation", std::string("Sine")}}), "\"Sine\"");
}

}  // namespace
}  // namespace inferd::testing
