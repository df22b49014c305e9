#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;
using Inputs = std::vector<std::optional<Tensor>>;

// Two tokens of size 1; the weights make Q and K zero and V the token: attention is the mean.
const Tensor X() { return Values<float>({1, 2, 1}, {2, 4}); }
const Tensor Weights() { return Values<float>({1, 3}, {0, 0, 1}); }

OpCase Attention(Inputs inputs, std::vector<std::optional<Tensor>> outputs, Pairs attributes = {}) {
  attributes.emplace_back("num_heads", int64_t{1});
  return {.name = "Attention",
          .op = "Attention",
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attributes = MakeAttributes(std::move(attributes)),
          .domain = "com.microsoft"};
}

TEST(MicrosoftAttention, ReadsEveryFormOfMask) {
  const auto masked = [](const Tensor& mask, std::initializer_list<float> y) {
    return Attention({X(), Weights(), std::nullopt, mask}, {Values<float>({1, 2, 1}, y)});
  };
  CheckOpCases({masked(Values<int32_t>({1}, {1}), {2, 2}),
                masked(Values<int32_t>({2}, {2, 1}), {4, 4}),
                masked(Values<int32_t>({1, 2}, {1, 0}), {2, 2}),
                masked(Values<int32_t>({1, 1}, {1}), {3, 3}),
                masked(Values<int32_t>({1, 2, 2}, {1, 0, 0, 1}), {2, 4})});
  ExpectOpError(masked(Values<int32_t>({3}, {1, 1, 1}), {}), "the mask has shape [3]");
}

TEST(MicrosoftAttention, JoinsThePastAndLooksBackOnly) {
  const Tensor past = Values<float>({2, 1, 1, 1, 1}, {0, 9});
  CheckOpCase(Attention({X(), Weights(), Values<float>({3}, {0, 0, 1}), std::nullopt, past},
                        {Values<float>({1, 2, 1}, {6, 17.0f / 3}),
                         Values<float>({2, 1, 1, 3, 1}, {0, 0, 0, 9, 3, 5})},
                        {{"unidirectional", int64_t{1}}}));
}

TEST(MicrosoftAttention, AddsABiasToTheScores) {
  const Tensor added = Values<float>({1, 1, 2, 2}, {100, 0, 0, 100});
  CheckOpCase(Attention({X(), Weights(), std::nullopt, std::nullopt, std::nullopt, added},
                        {Values<float>({1, 2, 1}, {2, 4})}));
}

TEST(MicrosoftAttention, RefusesWhatDoesNotFit) {
  const Tensor y = X();
  ExpectOpError(Attention({X(), Values<float>({1, 4}, {0, 0, 0, 0})}, {y}),
                "the weights have 4 columns");
  ExpectOpError(Attention({X(), Values<float>({2, 3}, {0, 0, 0, 0, 0, 0})}, {y}),
                "weights has shape [2,3], expected [1,?]");
  ExpectOpError(
      Attention({X(), Weights()}, {y}, {{"qkv_hidden_sizes", std::vector<int64_t>{1, 2, 1}}}),
      "attribute qkv_hidden_sizes");
  ExpectOpError(Attention({X(), Weights()}, {y}, {{"do_rotary", int64_t{1}}}), "do_rotary");
  ExpectOpError(Attention({X(), Weights(), std::nullopt, std::nullopt, std::nullopt,
                           Values<float>({1, 1, 2, 3}, {0, 0, 0, 0, 0, 0})},
                          {y}),
                "attention_bias has shape [1,1,2,3]");
}

}  // namespace
}  // namespace inferd::testing
