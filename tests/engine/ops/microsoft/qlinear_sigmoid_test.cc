#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y) {
  return {.name = "QLinearSigmoid",
          .op = "QLinearSigmoid",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .domain = "com.microsoft"};
}

TEST(QLinearSigmoid, AppliesTheFunctionToRealValues) {
  const Tensor x = Values<uint8_t>({3}, {0, 128, 255});
  CheckOpCase(Case({x, Values<float>({}, {0.1f}), Values<uint8_t>({}, {128}),
                    Values<float>({}, {1 / 256.0f}), std::nullopt},
                   Values<uint8_t>({3}, {0, 128, 255})));
}

}  // namespace
}  // namespace inferd::testing
