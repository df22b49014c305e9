#include "engine/ops/attention_shape.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

OpCase Attention(std::vector<std::optional<Tensor>> inputs,
                 std::vector<std::optional<Tensor>> outputs, Pairs attributes = {}) {
  return {.name = "Attention",
          .op = "Attention",
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attributes = MakeAttributes(std::move(attributes)),
          .absolute_tolerance = 1e-6};
}

// Equal keys share the attention equally.
const Tensor Keys() { return Values<float>({1, 1, 2, 1}, {0, 0}); }
const Tensor Numbers() { return Values<float>({1, 1, 2, 1}, {2, 4}); }

TEST(Attention, AveragesTheVisibleValues) {
  CheckOpCases(
      {Attention({Keys(), Keys(), Numbers()}, {Values<float>({1, 1, 2, 1}, {3, 3})}),
       Attention({Keys(), Keys(), Numbers()}, {Values<float>({1, 1, 2, 1}, {2, 3})},
                 {{"is_causal", int64_t{1}}}),
       Attention({Keys(), Keys(), Numbers(), Values<bool>({2, 2}, {false, true, false, false})},
                 {Values<float>({1, 1, 2, 1}, {4, 0})}),
       Attention({Keys(), Keys(), Numbers()}, {Values<float>({1, 1, 2, 1}, {2, 4})},
                 {{"left_window_size", int64_t{0}}, {"right_window_size", int64_t{0}}})});
}

TEST(Attention, SharesKeyHeadsAmongQueryHeadsInFlatRows) {
  // Two query heads, one key head.
  CheckOpCase(Attention({Values<float>({1, 1, 2}, {0, 0}), Values<float>({1, 2, 1}, {0, 0}),
                         Values<float>({1, 2, 1}, {2, 4})},
                        {Values<float>({1, 1, 2}, {3, 3})},
                        {{"q_num_heads", int64_t{2}}, {"kv_num_heads", int64_t{1}}}));
}

TEST(Attention, AppendsToThePast) {
  const Tensor one = Values<float>({1, 1, 1, 1}, {0});
  CheckOpCase(
      Attention({one, one, Values<float>({1, 1, 1, 1}, {6}), std::nullopt, Keys(), Numbers()},
                {Values<float>({1, 1, 1, 1}, {4}), Values<float>({1, 1, 3, 1}, {0, 0, 0}),
                 Values<float>({1, 1, 3, 1}, {2, 4, 6})},
                {{"is_causal", int64_t{1}}}));
}

TEST(Attention, RefusesShapesThatDoNotFit) {
  const Tensor wide = Values<float>({1, 1, 2, 2}, {0, 0, 0, 0});
  ExpectOpError(Attention({Keys(), wide, Numbers()}, {Keys()}), "head size of K is 2");
  ExpectOpError(
      Attention({Keys(), Keys(), Numbers(), Values<bool>({3, 2}, {1, 1, 1, 1, 1, 1})}, {Keys()}),
      "attn_mask has shape [3,2]");
  ExpectOpError(Attention({Keys(), Keys(), Numbers(), std::nullopt, Keys()}, {Keys()}),
                "must be given together");
  ExpectOpError(Attention({Values<float>({1, 1, 2}, {0, 0}), Values<float>({1, 1, 2}, {0, 0}),
                           Values<float>({1, 1, 2}, {0, 0})},
                          {Keys()}),
                "required for 3-D");
}

}  // namespace
}  // namespace inferd::testing
