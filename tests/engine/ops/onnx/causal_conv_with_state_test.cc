#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Conv(std::vector<std::optional<Tensor>> inputs, std::vector<std::optional<Tensor>> outputs,
            const char* activation = "none") {
  return {.name = activation,
          .op = "CausalConvWithState",
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attributes = MakeAttributes({{"activation", std::string(activation)}})};
}

const Tensor X() { return Values<float>({1, 2, 3}, {1, 2, 3, 4, 5, 6}); }
const Tensor Weight() { return Values<float>({2, 1, 3}, {1, 10, 100, 0, 0, 1}); }

TEST(CausalConvWithState, StartsFromZerosOrFromAState) {
  CheckOpCases(
      {Conv({X(), Weight()}, {Values<float>({1, 2, 3}, {100, 210, 321, 4, 5, 6}),
                              Values<float>({1, 2, 2}, {2, 3, 5, 6})}),
       Conv({X(), Weight(), Values<float>({2}, {1, -1}), Values<float>({1, 2, 2}, {7, 8, 0, 0})},
            {Values<float>({1, 2, 3}, {188, 219, 322, 3, 4, 5}),
             Values<float>({1, 2, 2}, {2, 3, 5, 6})}),
       Conv({Values<float>({1, 1, 1}, {-2}), Values<float>({1, 1, 1}, {1})},
            {Values<float>({1, 1, 1}, {-0.23840584}), Values<float>({1, 1, 0}, {})}, "silu")});
}

TEST(CausalConvWithState, RefusesWhatDoesNotFit) {
  ExpectOpError(Conv({X(), Values<float>({1, 1, 3}, {1, 2, 3})}, {X()}),
                "weight has shape [1,1,3], expected [2,1,?]");
  ExpectOpError(Conv({X(), Tensor::Allocate(DType::kFloat32, {2, 1, 0}).value()}, {X()}),
                "kernel of size 0");
  ExpectOpError(Conv({X(), Weight(), std::nullopt, X()}, {X()}), "past_state has shape [1,2,3]");
  ExpectOpError(Conv({X(), Weight()}, {X()}, "gelu"), "attribute activation is \"gelu\"");
}

}  // namespace
}  // namespace inferd::testing
