#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y) {
  return {.name = "QLinearWhere",
          .op = "QLinearWhere",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .domain = "com.microsoft"};
}

TEST(QLinearWhere, ChoosesRealValues) {
  const Tensor x = Values<uint8_t>({2}, {2, 4});
  const Tensor one = Values<float>({}, {1});
  const Tensor two = Values<float>({}, {2});
  const Tensor zero = Values<uint8_t>({}, {0});
  const Tensor condition = Values<bool>({2}, {true, false});
  CheckOpCase(
      Case({condition, x, one, zero, x, two, zero, one, zero}, Values<uint8_t>({2}, {2, 8})));
  ExpectOpError(Case({x, x, one, zero, x, two, zero, one, zero}, x), "expected bool");
}

}  // namespace
}  // namespace inferd::testing
