#include "engine/ops/fused_activation.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/ops/gelu.h"

namespace inferd {

namespace {

// FusedConv lists its parameters; FusedGemm names them.
std::vector<float> ReadParameters(const Attributes& attributes, absl::string_view activation) {
  if (attributes.Has("activation_params")) return attributes.Floats("activation_params");
  std::vector<float> parameters;
  for (absl::string_view name : {"activation_alpha", "activation_beta", "activation_gamma"}) {
    if (attributes.Has(name)) parameters.push_back(attributes.Float(name, 0));
  }
  if (parameters.empty() && activation == "LeakyRelu" && attributes.Has("leaky_relu_alpha")) {
    parameters.push_back(attributes.Float("leaky_relu_alpha", 0));
  }
  return parameters;
}

}  // namespace

absl::StatusOr<std::function<double(double)>> ReadFusedActivation(const Attributes& attributes) {
  using Function = std::function<double(double)>;
  const std::string name = attributes.String("activation", "");
  const std::vector<float> parameters = ReadParameters(attributes, name);
  const auto parameter = [&](size_t i, double missing) {
    return i < parameters.size() ? static_cast<double>(parameters[i]) : missing;
  };
  if (name.empty()) return Function([](double x) { return x; });
  if (name == "Relu") return Function([](double x) { return x < 0 ? 0 : x; });
  if (name == "Sigmoid") return Function([](double x) { return 1 / (1 + std::exp(-x)); });
  if (name == "Tanh") return Function([](double x) { return std::tanh(x); });
  if (name == "Softplus") {
    return Function([](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); });
  }
  if (name == "LeakyRelu") {
    return Function([alpha = parameter(0, 0.01)](double x) { return x < 0 ? alpha * x : x; });
  }
  if (name == "ThresholdedRelu") {
    return Function([alpha = parameter(0, 1)](double x) { return x > alpha ? x : 0; });
  }
  if (name == "Elu") {
    return Function(
        [alpha = parameter(0, 1)](double x) { return x < 0 ? alpha * std::expm1(x) : x; });
  }
  if (name == "Selu") {
    const double alpha = parameter(0, 1.67326319), gamma = parameter(1, 1.05070102);
    return Function(
        [alpha, gamma](double x) { return gamma * (x < 0 ? alpha * std::expm1(x) : x); });
  }
  if (name == "Softsign") return Function([](double x) { return x / (1 + std::abs(x)); });
  if (name == "Clip") {
    const double low = parameter(0, -3.4028234663852886e38);
    const double high = parameter(1, 3.4028234663852886e38);
    return Function([low, high](double x) { return std::min(std::max(x, low), high); });
  }
  if (name == "HardSigmoid") {
    const double alpha = parameter(0, 0.2), beta = parameter(1, 0.5);
    return Function([alpha, beta](double x) { return std::clamp(alpha * x + beta, 0.0, 1.0); });
  }
  if (name == "HardSwish") {
    return Function([](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); });
  }
  if (name == "Gelu") return Function([](double x) { return Gelu(x); });
  if (name == "QuickGelu") {
    const double alpha = parameter(0, 1.702);
    return Function([alpha](double x) { return x / (1 + std::exp(-alpha * x)); });
  }
  return absl::InvalidArgumentError(absl::StrCat("attribute activation is \"", name, "\""));
}

}  // namespace inferd
