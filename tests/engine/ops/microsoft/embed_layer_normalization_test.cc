#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Embed(const Tensor& ids, std::optional<Tensor> positions,
             std::vector<std::optional<Tensor>> outputs) {
  const Tensor rows = Values<float>({2, 2}, {0, 0, 2, 4});
  return {
      .name = "EmbedLayerNormalization",
      .op = "EmbedLayerNormalization",
      .inputs = {ids, std::nullopt, rows, rows, std::nullopt, Values<float>({2}, {1, 2}),
                 Values<float>({2}, {0, 1}), Values<int32_t>({1, 2}, {1, 0}), std::move(positions)},
      .outputs = std::move(outputs),
      .domain = "com.microsoft"};
}

TEST(EmbedLayerNormalization, AddsUpAndNormalizesEmbeddings) {
  const Tensor ids = Values<int32_t>({1, 2}, {1, 0});
  const Tensor y = Values<float>({1, 2, 2}, {-1, 3, -1, 3});
  CheckOpCases({Embed(ids, std::nullopt,
                      {y, Values<int32_t>({1}, {1}), Values<float>({1, 2, 2}, {2, 4, 2, 4})}),
                Embed(ids, Values<int32_t>({1, 2}, {1, 1}),
                      {y, std::nullopt, Values<float>({1, 2, 2}, {4, 8, 2, 4})})});
}

TEST(EmbedLayerNormalization, RefusesIdsBeyondTheEmbedding) {
  const Tensor y = Values<float>({1, 2, 2}, {0, 0, 0, 0});
  ExpectOpError(Embed(Values<int32_t>({1, 2}, {2, 0}), std::nullopt, {y}), "input_ids has 2");
  ExpectOpError(Embed(Values<int32_t>({1, 2}, {-1, 0}), std::nullopt, {y}), "input_ids has -1");
  ExpectOpError(Embed(Values<int32_t>({1, 2}, {0, 0}), Values<int32_t>({1, 2}, {0, 5}), {y}),
                "position_ids has 5");
  OpCase long_sequence = Embed(Values<int32_t>({1, 3}, {0, 0, 0}), std::nullopt, {y});
  long_sequence.inputs[7] = std::nullopt;
  ExpectOpError(long_sequence, "the sequence has 3 tokens");
}

}  // namespace
}  // namespace inferd::testing
