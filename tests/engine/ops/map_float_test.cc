#include "engine/ops/map_float.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

struct Activation {
  const char* op;
  std::vector<std::pair<std::string, Attributes::Value>> attributes;
  double (*expected)(double);
};

const Activation kActivations[] = {
    {"Elu", {{"alpha", 2.0f}}, [](double x) { return x < 0 ? 2 * (std::exp(x) - 1) : x; }},
    {"Selu",
     {{"alpha", 2.0f}, {"gamma", 3.0f}},
     [](double x) { return x > 0 ? 3 * x : 3 * (2 * std::exp(x) - 2); }},
    {"Celu", {{"alpha", 2.0f}}, [](double x) { return x > 0 ? x : 2 * (std::exp(x / 2) - 1); }},
    {"LeakyRelu", {{"alpha", 0.5f}}, [](double x) { return x < 0 ? x / 2 : x; }},
    {"HardSigmoid",
     {{"alpha", 0.5f}, {"beta", 0.25f}},
     [](double x) { return std::min(std::max(x / 2 + 0.25, 0.0), 1.0); }},
    {"HardSwish", {}, [](double x) { return x * std::min(std::max(x / 6 + 0.5, 0.0), 1.0); }},
    {"Softplus", {}, [](double x) { return std::log(1 + std::exp(x)); }},
    {"Softsign", {}, [](double x) { return x / (1 + std::abs(x)); }},
    {"Mish", {}, [](double x) { return x * std::tanh(std::log(1 + std::exp(x))); }},
    {"Swish", {{"alpha", 2.0f}}, [](double x) { return x / (1 + std::exp(-2 * x)); }},
    {"ThresholdedRelu", {{"alpha", 1.0f}}, [](double x) { return x > 1 ? x : 0; }},
    {"Shrink",
     {{"lambd", 1.5f}, {"bias", 0.5f}},
     [](double x) { return x < -1.5  ? x + 0.5
                           : x > 1.5 ? x - 0.5
                                     : 0; }},
    {"Gelu", {}, [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2))); }},
    {"Gelu",
     {{"approximate", std::string("tanh")}},
     [](double x) { return 0.5 * x * (1 + std::tanh(0.7978845608 * (x + 0.044715 * x * x * x))); }},
};

TEST(Activations, FollowTheirFormulasInEveryFloatType) {
  const std::vector<double> inputs = {-20, -2, -1, -0.25, 0, 0.5, 1, 1.5, 3, 20};
  const Shape shape({static_cast<int64_t>(inputs.size())});
  for (const Activation& activation : kActivations) {
    for (DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}) {
      std::vector<double> expected;
      for (double x : inputs) expected.push_back(activation.expected(x));
      const double tolerance = dtype == DType::kFloat16    ? 1e-3
                               : dtype == DType::kBfloat16 ? 8e-3
                                                           : 1e-6;
      CheckOpCase({.name = activation.op,
                   .op = activation.op,
                   .inputs = {ValuesAs(dtype, shape, inputs)},
                   .outputs = {ValuesAs(dtype, shape, expected)},
                   .attributes = MakeAttributes(activation.attributes),
                   .relative_tolerance = tolerance,
                   .absolute_tolerance = 1e-6});
    }
  }
}

TEST(Activations, KeepNan) {
  const float nan = std::nanf("");
  for (const Activation& activation : kActivations) {
    if (std::string(activation.op) == "ThresholdedRelu") continue;  // x > alpha is false
    CheckOpCase({.name = activation.op,
                 .op = activation.op,
                 .inputs = {Values<float>({1}, {nan})},
                 .outputs = {Values<float>({1}, {nan})},
                 .attributes = MakeAttributes(activation.attributes)});
  }
}

}  // namespace
}  // namespace inferd::testing
