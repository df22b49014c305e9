#include "engine/ops/optimizer_step.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

OpCase Step(const std::string& op, int64_t count, std::vector<Tensor> tensors,
            std::vector<Tensor> outputs, Pairs attributes) {
  OpCase op_case{.name = op,
                 .op = op,
                 .inputs = {Values<float>({}, {0.5f}), Values<int64_t>({}, {count})},
                 .attributes = MakeAttributes(std::move(attributes)),
                 .domain = "ai.onnx.preview.training"};
  for (Tensor& tensor : tensors) op_case.inputs.push_back(std::move(tensor));
  for (Tensor& tensor : outputs) op_case.outputs.push_back(std::move(tensor));
  return op_case;
}

Tensor One(float value) { return Values<float>({1}, {value}); }
Tensor Wide(double value) { return Values<double>({1}, {value}); }

TEST(Adagrad, DividesByTheRootOfTheSquaresSoFar) {
  // G = 0.5 * 2 + 3 = 4, H = 9 + 16, r = 0.5 / (1 + 1 * 1).
  CheckOpCase(Step("Adagrad", 1, {One(2), One(3), One(9)}, {One(2 - 0.25f * 4 / 5), One(25)},
                   {{"norm_coefficient", 0.5f}, {"decay_factor", 1.0f}, {"epsilon", 0.0f}}));
}

TEST(Adagrad, UpdatesSeveralTensorsOfDifferentTypes) {
  const Pairs attributes = {{"epsilon", 0.0f}};
  CheckOpCase(Step("Adagrad", 0, {One(1), Wide(2), One(4), Wide(-3), One(0), Wide(16)},
                   {One(0.5), Wide(2 + 0.5 * 3 / 5), One(16), Wide(25)}, attributes));
}

TEST(Adam, CorrectsTheBiasOfItsAverages) {
  // V = 0.5 * 2 + 0.5 * 4, H = 0.75 * 8 + 0.25 * 16.
  const Pairs attributes = {{"alpha", 0.5f}, {"beta", 0.75f}, {"epsilon", 0.0f}};
  const float step = 3 / std::sqrt(10.0f);
  CheckOpCases({Step("Adam", 0, {One(1), One(4), One(2), One(8)},
                     {One(1 - 0.5f * step), One(3), One(10)}, attributes),
                Step("Adam", 1, {One(1), One(4), One(2), One(8)},
                     {One(1 - 0.5f * step), One(3), One(10)}, attributes)});
}

TEST(Momentum, LooksAheadInNesterovMode) {
  const auto attributes = [](const char* mode) {
    return Pairs{
        {"alpha", 0.5f}, {"beta", 2.0f}, {"norm_coefficient", 0.0f}, {"mode", std::string(mode)}};
  };
  CheckOpCases({Step("Momentum", 0, {One(1), One(4), One(2)}, {One(1 - 0.5f * 5), One(5)},
                     attributes("standard")),
                Step("Momentum", 1, {One(1), One(4), One(2)}, {One(1 - 0.5f * 9), One(9)},
                     attributes("standard")),
                Step("Momentum", 1, {One(1), One(4), One(2)}, {One(1 - 0.5f * 8.5f), One(9)},
                     attributes("nesterov"))});
  ExpectOpError(Step("Momentum", 1, {One(1), One(4), One(2)}, {One(0)}, attributes("fast")),
                "mode is \"fast\"");
}

TEST(Optimizers, RefuseTensorsThatDoNotBelongTogether) {
  ExpectOpError(Step("Adagrad", 0, {One(1), One(1)}, {One(1)}, {}), "a multiple of 3");
  ExpectOpError(Step("Adagrad", 0, {One(1), Wide(1), One(1)}, {One(1)}, {}), "element type");
  ExpectOpError(Step("Adagrad", 0, {One(1), Values<float>({2}, {1, 1}), One(1)}, {One(1)}, {}),
                "is not like input 2");
}

}  // namespace
}  // namespace inferd::testing
