#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y_h,
            const std::string& direction = "forward") {
  return {.name = "DynamicQuantizeLSTM",
          .op = "DynamicQuantizeLSTM",
          .inputs = std::move(inputs),
          .outputs = {std::nullopt, std::move(y_h)},
          .attributes = MakeAttributes({{"hidden_size", int64_t{1}}, {"direction", direction}}),
          .domain = "com.microsoft"};
}

// One sequence of one step over one number.
std::vector<std::optional<Tensor>> Inputs(const Tensor& w_scale, const Tensor& w_zero) {
  const Tensor x = Values<float>({1, 1, 1}, {2});
  const Tensor w = Values<int8_t>({1, 1, 4}, {0, 0, 0, 50});
  const Tensor r = Values<int8_t>({1, 1, 4}, {0, 0, 0, 0});
  const std::optional<Tensor> none;
  return {x,
          w,
          r,
          none,
          none,
          none,
          none,
          none,
          w_scale,
          w_zero,
          Values<float>({1}, {1}),
          Values<int8_t>({1}, {0})};
}

TEST(DynamicQuantizeLSTM, ScalesWeightsByDirectionOrColumn) {
  // The candidate is tanh(2 * 50 * 0.01), the other gates are 0.5: 0.5 * tanh(0.5 * tanh(1)).
  const Tensor expected = Values<float>({1, 1, 1}, {0.1816997f});
  CheckOpCases(
      {Case(Inputs(Values<float>({1}, {0.01f}), Values<int8_t>({1}, {0})), expected),
       Case(Inputs(Values<float>({1, 4}, {1, 1, 1, 0.01f}), Values<int8_t>({1, 4}, {0, 0, 0, 0})),
            expected)});
}

TEST(DynamicQuantizeLSTM, RefusesScalesThatFitNoColumn) {
  const Tensor two = Values<float>({2}, {1, 1});
  ExpectOpError(Case(Inputs(two, Values<int8_t>({1}, {0})), std::nullopt), "input 8 has shape [2]");
  auto inputs = Inputs(Values<float>({1}, {1}), Values<int8_t>({1}, {0}));
  inputs.resize(9);
  ExpectOpError(Case(inputs, std::nullopt), "absent");
}

}  // namespace
}  // namespace inferd::testing
