#include "engine/ops/fused_activation.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Fused(const char* op, std::vector<std::optional<Tensor>> inputs, const Tensor& y,
             std::vector<std::pair<std::string, Attributes::Value>> attributes = {}) {
  return {.name = op,
          .op = op,
          .inputs = std::move(inputs),
          .outputs = {y},
          .attributes = MakeAttributes(std::move(attributes)),
          .domain = "com.microsoft"};
}

TEST(FusedConv, AddsAndActivates) {
  const Tensor x = Values<float>({1, 1, 2}, {1, 2});
  const Tensor w = Values<float>({1, 1, 1}, {-1});
  CheckOpCases(
      {Fused("FusedConv", {x, w, Values<float>({1}, {1}), Values<float>({1, 1, 2}, {3, 0})},
             Values<float>({1, 1, 2}, {3, 0}), {{"activation", std::string("Relu")}}),
       Fused("FusedConv", {x, w}, Values<float>({1, 1, 2}, {-1, -1.5}),
             {{"activation", std::string("Clip")},
              {"activation_params", std::vector<float>{-1.5, 6}}})});
  ExpectOpError(Fused("FusedConv", {x, w}, x, {{"activation", std::string("Sine")}}), "\"Sine\"");
}

TEST(FusedMatMul, TransposesAndScales) {
  const Tensor a = Values<float>({1, 2}, {1, 2});
  CheckOpCase(Fused("FusedMatMul", {a, a}, Values<float>({1, 1}, {2.5}),
                    {{"transB", int64_t{1}}, {"alpha", 0.5f}}));
}

TEST(BiasActivations, AddTheBiasFirst) {
  const Tensor x = Values<float>({1, 2}, {1, 0});
  const Tensor bias = Values<float>({2}, {0, 1});
  const float gelu = 0.8413447f;
  CheckOpCases({Fused("BiasGelu", {x, bias}, Values<float>({1, 2}, {gelu, gelu})),
                Fused("FastGelu", {x, bias}, Values<float>({1, 2}, {0.841192f, 0.841192f})),
                Fused("Gelu", {x}, Values<float>({1, 2}, {gelu, 0})),
                Fused("QuickGelu", {x}, Values<float>({1, 2}, {0.845796f, 0}))});
  ExpectOpError(Fused("BiasGelu", {x, Values<float>({1}, {1})}, x), "bias has shape [1]");
}

}  // namespace
}  // namespace inferd::testing
