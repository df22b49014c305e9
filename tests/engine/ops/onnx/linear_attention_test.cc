#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

// One head of size 1 in all, two tokens, scale 1.
OpCase Linear(const char* rule, std::vector<std::optional<Tensor>> inputs,
              std::vector<std::optional<Tensor>> outputs, int64_t heads = 1) {
  return {.name = rule,
          .op = "LinearAttention",
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attributes = MakeAttributes({{"update_rule", std::string(rule)},
                                        {"q_num_heads", heads},
                                        {"kv_num_heads", int64_t{1}},
                                        {"scale", 1.0f}}),
          .absolute_tolerance = 1e-6};
}

Tensor Tokens(std::initializer_list<float> values) { return Values<float>({1, 2, 1}, values); }
Tensor State(float value) { return Values<float>({1, 1, 1, 1}, {value}); }

TEST(LinearAttention, KeepsAStateByEachRule) {
  const Tensor q = Tokens({1, 2}), k = Tokens({1, 3}), v = Tokens({5, 7});
  const Tensor half = Tokens({-0.6931472f, -0.6931472f}), beta = Tokens({0.5f, 1});
  CheckOpCases({
      Linear("linear", {q, k, v}, {Tokens({5, 52}), State(26)}),
      Linear("linear", {q, k, v, State(1)}, {Tokens({6, 54}), State(27)}),
      Linear("gated", {q, k, v, State(2), half}, {Tokens({6, 48}), State(24)}),
      // 0.5 * 5 = 2.5, then 3 * (7 - 2.5 * 3) = -1.5
      Linear("delta", {q, k, v, std::nullopt, std::nullopt, beta}, {Tokens({2.5, 2}), State(1)}),
      // 1 + 0.5 * (5 - 1) = 3; 1.5 + 3 * (7 - 1.5 * 3) = 9
      Linear("gated_delta", {q, k, v, State(2), half, beta}, {Tokens({3, 18}), State(9)}),
  });
}

TEST(LinearAttention, SharesAStateAmongQueryHeads) {
  CheckOpCase(Linear("linear",
                     {Values<float>({1, 1, 2}, {1, -1}), Values<float>({1, 1, 1}, {2}),
                      Values<float>({1, 1, 1}, {3})},
                     {Values<float>({1, 1, 2}, {6, -6}), State(6)}, 2));
}

TEST(LinearAttention, TakesAStateOfAnotherType) {
  const DType half = DType::kBfloat16;
  CheckOpCase(Linear("linear",
                     {ValuesAs(half, {1, 1, 1}, {1}), ValuesAs(half, {1, 1, 1}, {1}),
                      ValuesAs(half, {1, 1, 1}, {1}), State(0.001f)},
                     {ValuesAs(half, {1, 1, 1}, {1}), State(1.001f)}));
}

TEST(LinearAttention, RefusesWhatDoesNotFit) {
  const Tensor q = Tokens({1, 2});
  ExpectOpError(Linear("linear", {q, q, q, std::nullopt, q}, {q}), "takes no decay");
  ExpectOpError(Linear("delta", {q, q, q}, {q}), "a beta");
  ExpectOpError(Linear("square", {q, q, q}, {q}), "update_rule is \"square\"");
  ExpectOpError(Linear("linear", {q, q, q}, {q}, 2), "which 2 heads do not divide");
  ExpectOpError(Linear("linear", {q, q, q}, {q}, 0), "q_num_heads is 0");
  ExpectOpError(Linear("linear", {q, q, q, Values<float>({1, 1, 1, 2}, {0, 0})}, {q}),
                "past_state has shape [1,1,1,2], expected [1,1,1,1]");
  ExpectOpError(
      Linear("gated", {q, q, q, std::nullopt, Values<float>({1, 2, 2}, {0, 0, 0, 0})}, {q}),
      "decay has shape [1,2,2]");
}

}  // namespace
}  // namespace inferd::testing
