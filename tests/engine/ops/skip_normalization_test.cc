#include "engine/ops/skip_normalization.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Skip(const char* op, std::vector<std::optional<Tensor>> inputs,
            std::vector<std::optional<Tensor>> outputs) {
  return {.name = op,
          .op = op,
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attributes = MakeAttributes({{"epsilon", 0.0f}}),
          .absolute_tolerance = 1e-6,
          .domain = "com.microsoft"};
}

TEST(SkipNormalization, NormalizesTheSum) {
  const Tensor x = Values<float>({1, 1, 2}, {1, 2});
  CheckOpCases({Skip("SkipLayerNormalization",
                     {x, Values<float>({1, 2}, {1, 2}), Values<float>({2}, {1, 2}),
                      Values<float>({2}, {0, 1}), Values<float>({2}, {0, 2})},
                     {Values<float>({1, 1, 2}, {-1, 3}), std::nullopt, std::nullopt,
                      Values<float>({1, 1, 2}, {2, 6})}),
                Skip("SkipSimplifiedLayerNormalization",
                     {x, Values<float>({1, 1, 2}, {2, 2}), Values<float>({2}, {1, 2})},
                     {Values<float>({1, 1, 2}, {0.8485281, 2.2627417})})});
}

TEST(SkipNormalization, RefusesASkipOfAnotherShape) {
  const Tensor x = Values<float>({1, 1, 2}, {1, 2});
  ExpectOpError(
      Skip("SkipLayerNormalization", {x, Values<float>({1}, {1}), Values<float>({2}, {1, 2})}, {x}),
      "skip has shape [1]");
  ExpectOpError(
      Skip("SkipLayerNormalization", {x, Values<float>({}, {1}), Values<float>({2}, {1, 2})}, {x}),
      "skip has shape []");
}

}  // namespace
}  // namespace inferd::testing
