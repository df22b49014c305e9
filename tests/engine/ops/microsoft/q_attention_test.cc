#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Quantized(const Tensor& x, const Tensor& weight_scale,
                 std::vector<std::optional<Tensor>> outputs) {
  return {.name = "QAttention",
          .op = "QAttention",
          .inputs = {x, Values<int8_t>({1, 3}, {0, 0, 3}), Values<float>({3}, {0, 0, 1}),
                     Tensor::Scalar<float>(0.5f), weight_scale, std::nullopt,
                     Tensor::Scalar<uint8_t>(10), Tensor::Scalar<int8_t>(0)},
          .outputs = std::move(outputs),
          .attributes = MakeAttributes({{"num_heads", int64_t{1}}}),
          .domain = "com.microsoft"};
}

TEST(QAttention, AttendsToWhatTheIntegersStandFor) {
  // Values (12 - 10) * 0.5 * 3 * 2 + 1 = 7 and (14 - 10) * 0.5 * 3 * 2 + 1 = 13.
  const Tensor x = Values<uint8_t>({1, 2, 1}, {12, 14});
  const Tensor y = Values<float>({1, 2, 1}, {10, 10});
  CheckOpCases({Quantized(x, Tensor::Scalar<float>(2), {y}),
                Quantized(x, Values<float>({3}, {1, 1, 2}), {y})});
  ExpectOpError(Quantized(x, Values<float>({2}, {1, 1}), {y}), "weight_scale have shapes");
}

}  // namespace
}  // namespace inferd::testing
