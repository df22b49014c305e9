#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y,
            std::vector<std::pair<std::string, Attributes::Value>> attributes = {}) {
  return {.name = "QGemm",
          .op = "QGemm",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .attributes = MakeAttributes(std::move(attributes)),
          .domain = "com.microsoft"};
}

const Tensor kA = Values<uint8_t>({1, 2}, {3, 5});
const Tensor kB = Values<uint8_t>({2, 2}, {1, 2, 3, 4});
const Tensor kOne = Values<float>({}, {1});
const Tensor kZero = Values<uint8_t>({}, {0});

TEST(QGemm, GivesFloatsWithoutAnOutputScale) {
  const Tensor c = Values<int32_t>({2}, {2, -6});
  CheckOpCases({Case({kA, kOne, kZero, kB, Values<float>({2}, {1, 2}), kZero, c},
                     Values<float>({1, 2}, {10, 20}), {{"alpha", 0.5f}}),
                Case({kA, kOne, kZero, kB, kOne, kZero}, Values<float>({1, 2}, {13, 29}),
                     {{"transB", int64_t{1}}})});
}

TEST(QGemm, QuantizesWithAnOutputScale) {
  CheckOpCase(Case({kA, kOne, kZero, kB, kOne, kZero, std::nullopt, Values<float>({}, {2}), kZero},
                   Values<uint8_t>({1, 2}, {9, 13})));
}

TEST(QGemm, RefusesOperandsThatDoNotFit) {
  const Tensor c = Values<int32_t>({3}, {1, 1, 1});
  ExpectOpError(Case({kA, kOne, kZero, kB, kOne, kZero, c}, std::nullopt), "broadcast");
  ExpectOpError(Case({kA, kOne, kZero, Values<uint8_t>({2}, {1, 1}), kOne, kZero}, std::nullopt),
                "expected two matrices");
}

}  // namespace
}  // namespace inferd::testing
