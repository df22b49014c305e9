#pragma once

#include <cmath>
#include <numbers>

namespace inferd {

// x times the normal distribution function of x; T is float or double.
template <typename T>
T Gelu(T x) {
  return T(0.5) * x * (1 + std::erf(x * T(1 / std::numbers::sqrt2)));
}

// Its approximation by tanh.
template <typename T>
T TanhGelu(T x) {
  const T inner = T(std::numbers::sqrt2 * std::numbers::inv_sqrtpi) * (x + T(0.044715) * x * x * x);
  return T(0.5) * x * (1 + std::tanh(inner));
}

}  // namespace inferd
