#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y) {
  return {.name = "MatMulIntegerToFloat",
          .op = "MatMulIntegerToFloat",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .domain = "com.microsoft"};
}

const Tensor kA = Values<uint8_t>({1, 2}, {3, 5});
const Tensor kB = Values<int8_t>({2, 2}, {1, 2, 3, 4});
const Tensor kHalf = Values<float>({}, {0.5f});

TEST(MatMulIntegerToFloat, ScalesSumsByColumnAndAddsTheBias) {
  // (3-1, 5-1) x ((1, 2), (3, 4)) = (14, 20).
  CheckOpCases({Case({kA, kB, kHalf, Values<float>({2}, {1, 2}), Values<uint8_t>({}, {1}),
                      std::nullopt, Values<float>({2}, {100, 0})},
                     Values<float>({1, 2}, {107, 20})),
                Case({kA, kB, kHalf, kHalf}, Values<float>({1, 2}, {4.5, 6.5}))});
}

TEST(MatMulIntegerToFloat, RefusesParametersThatFitNoColumn) {
  const Tensor three = Values<float>({3}, {1, 2, 3});
  ExpectOpError(Case({kA, kB, kHalf, three}, std::nullopt), "input 3 has shape [3]");
  ExpectOpError(Case({kA, kB, kHalf, kHalf, std::nullopt, std::nullopt, three}, std::nullopt),
                "bias");
  ExpectOpError(Case({kHalf, kB, kHalf, kHalf}, std::nullopt), "input 0");
}

}  // namespace
}  // namespace inferd::testing
