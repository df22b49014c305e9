#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y,
            std::vector<std::pair<std::string, Attributes::Value>> attributes = {}) {
  return {.name = "QLinearConcat",
          .op = "QLinearConcat",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .attributes = MakeAttributes(std::move(attributes)),
          .domain = "com.microsoft"};
}

const Tensor kOne = Values<float>({}, {1});
const Tensor kZero = Values<uint8_t>({}, {0});

TEST(QLinearConcat, BringsPartsToOneScale) {
  const Tensor x = Values<uint8_t>({1, 2}, {2, 4});
  const Tensor two = Values<float>({}, {2});
  CheckOpCase(Case({kOne, kZero, x, kOne, kZero, x, two, kZero},
                   Values<uint8_t>({1, 4}, {2, 4, 4, 8}), {{"axis", int64_t{1}}}));
}

TEST(QLinearConcat, RefusesPartsWithoutParameters) {
  const Tensor x = Values<uint8_t>({1}, {2});
  ExpectOpError(Case({kOne, kZero, x, kOne, kZero, x}, x, {{"axis", int64_t{0}}}), "6 inputs");
}

}  // namespace
}  // namespace inferd::testing
