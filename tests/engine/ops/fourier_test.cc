#include "engine/ops/fourier.h"

#include <cmath>
#include <numbers>
#include <random>

#include "gtest/gtest.h"

namespace inferd {
namespace {

using Complex = std::complex<double>;

std::vector<Complex> RandomSignal(int64_t length) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  std::vector<Complex> signal(length);
  for (Complex& value : signal) value = {normal(random), normal(random)};
  return signal;
}

// By the definition.
std::vector<Complex> Transformed(const std::vector<Complex>& signal) {
  const auto length = static_cast<int64_t>(signal.size());
  std::vector<Complex> result(length);
  for (int64_t k = 0; k < length; ++k) {
    for (int64_t n = 0; n < length; ++n) {
      const double turns = static_cast<double>(k * n % length) / static_cast<double>(length);
      result[k] += signal[n] * std::polar(1.0, -2 * std::numbers::pi * turns);
    }
  }
  return result;
}

template <typename Real>
void ExpectNear(const std::vector<Complex>& expected, const std::vector<std::complex<Real>>& got,
                double tolerance) {
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_LT(std::abs(expected[i] - Complex(got[i])), tolerance) << i << " of " << expected.size();
  }
}

// Every radix with a kernel of its own, other primes, products of them, and Bluestein's way.
constexpr int64_t kLengths[] = {1, 2, 3, 4, 5, 7, 8, 11, 12, 60, 61, 64, 67, 134, 210, 499, 512};

TEST(FourierTransform, AgreesWithTheDefinitionForEveryKindOfLength) {
  for (int64_t length : kLengths) {
    const std::vector<Complex> signal = RandomSignal(length);
    const std::vector<Complex> expected = Transformed(signal);
    std::vector<Complex> values = signal;
    FourierTransform<double>::Make(length, 1 << 20).value().Forward(values.data());
    ExpectNear(expected, values, 1e-11 * static_cast<double>(length));
    std::vector<std::complex<float>> narrow(signal.begin(), signal.end());
    FourierTransform<float>::Make(length, 1 << 20).value().Forward(narrow.data());
    ExpectNear(expected, narrow, 1e-5 * std::sqrt(static_cast<double>(length)));
  }
}

TEST(FourierTransform, InverseUndoesForward) {
  for (int64_t length : kLengths) {
    const std::vector<Complex> signal = RandomSignal(length);
    std::vector<Complex> values = signal;
    const auto transform = FourierTransform<double>::Make(length, 1 << 20).value();
    transform.Forward(values.data());
    transform.Inverse(values.data());
    ExpectNear(signal, values, 1e-12);
  }
}

TEST(FourierTransform, KeepsTheSymmetryOfRealSignals) {
  for (int64_t length : {6, 7, 67}) {
    std::vector<Complex> signal = RandomSignal(length);
    for (Complex& value : signal) value = value.real();
    std::vector<Complex> values = signal;
    const auto transform = FourierTransform<double>::Make(length, 1 << 20).value();
    transform.ForwardOfReal(values.data());
    for (int64_t k = 1; k < length; ++k) EXPECT_EQ(values[k], std::conj(values[length - k]));
    for (int64_t k = length / 2 + 1; k < length; ++k) values[k] = 99;
    transform.InverseOfReal(values.data());
    ExpectNear(signal, values, 1e-12);
  }
}

TEST(FourierTransform, RefusesLengthsItCannotHold) {
  EXPECT_TRUE(absl::IsInvalidArgument(FourierTransform<float>::Make(0, 1 << 20).status()));
  EXPECT_TRUE(
      absl::IsResourceExhausted(FourierTransform<float>::Make(INT64_MAX, 1 << 20).status()));
}

}  // namespace
}  // namespace inferd
