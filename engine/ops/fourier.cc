#include "engine/ops/fourier.h"

#include <bit>
#include <cmath>
#include <numbers>
#include <utility>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

using Complex = FourierTransform::Complex;

// std::complex's own product asks for NaN first, which costs more than the product.
Complex Product(const Complex& a, const Complex& b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// exp(-2 pi i part / whole).
Complex Root(int64_t part, int64_t whole) {
  const double angle =
      -2 * std::numbers::pi * static_cast<double>(part) / static_cast<double>(whole);
  return {std::cos(angle), std::sin(angle)};
}

void ReverseBits(Complex* values, int64_t count) {
  for (int64_t i = 1, j = 0; i < count; ++i) {
    int64_t bit = count / 2;
    for (; j & bit; bit /= 2) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(values[i], values[j]);
  }
}

void TransformPowerOfTwo(const std::vector<Complex>& roots, Complex* values, int64_t count) {
  ReverseBits(values, count);
  for (int64_t half = 1; half < count; half *= 2) {
    const int64_t stride = count / (2 * half);
    for (int64_t begin = 0; begin < count; begin += 2 * half) {
      for (int64_t k = 0; k < half; ++k) {
        const Complex odd = Product(values[begin + half + k], roots[k * stride]);
        values[begin + half + k] = values[begin + k] - odd;
        values[begin + k] += odd;
      }
    }
  }
}

}  // namespace

absl::StatusOr<FourierTransform> FourierTransform::Make(int64_t length, int64_t limit_bytes) {
  if (length < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("the transform's length is ", length, ", expected at least 1"));
  }
  // A padded length below 4 n with its roots, chirp, spectrum and a line to work on.
  constexpr int64_t kBytesAtMost = 256;
  if (length > limit_bytes / kBytesAtMost) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a transform of length ", length, " is over the limit of memory"));
  }
  return FourierTransform(length);
}

FourierTransform::FourierTransform(int64_t length) : length_(length) {
  const bool power_of_two = std::has_single_bit(static_cast<uint64_t>(length));
  padded_ = power_of_two
                ? length
                : static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(2 * length - 1)));
  roots_.reserve(padded_ / 2);
  for (int64_t k = 0; k < padded_ / 2; ++k) roots_.push_back(Root(k, padded_));
  if (power_of_two) return;
  chirp_.reserve(length);
  // k^2 modulo 2 length, kept small so that the angle stays exact.
  for (int64_t k = 0, square = 0; k < length; square = (square + 2 * k + 1) % (2 * length), ++k) {
    chirp_.push_back(Root(square, 2 * length));
  }
  chirp_spectrum_.assign(padded_, Complex());
  for (int64_t k = 0; k < length; ++k) {
    chirp_spectrum_[k] = std::conj(chirp_[k]);
    if (k > 0) chirp_spectrum_[padded_ - k] = std::conj(chirp_[k]);
  }
  TransformPowerOfTwo(roots_, chirp_spectrum_.data(), padded_);
}

void FourierTransform::Forward(Complex* values) const {
  if (chirp_.empty()) return TransformPowerOfTwo(roots_, values, length_);
  // k n = (k^2 + n^2 - (k - n)^2) / 2 turns the sum into a convolution with the chirp.
  std::vector<Complex> line(padded_);
  for (int64_t k = 0; k < length_; ++k) line[k] = Product(values[k], chirp_[k]);
  TransformPowerOfTwo(roots_, line.data(), padded_);
  for (int64_t k = 0; k < padded_; ++k) line[k] = std::conj(Product(line[k], chirp_spectrum_[k]));
  TransformPowerOfTwo(roots_, line.data(), padded_);
  const double scale = 1 / static_cast<double>(padded_);
  for (int64_t k = 0; k < length_; ++k) {
    values[k] = Product(std::conj(line[k]), chirp_[k]) * scale;
  }
}

void FourierTransform::Inverse(Complex* values) const {
  for (int64_t k = 0; k < length_; ++k) values[k] = std::conj(values[k]);
  Forward(values);
  const double scale = 1 / static_cast<double>(length_);
  for (int64_t k = 0; k < length_; ++k) values[k] = std::conj(values[k]) * scale;
}

void FourierTransform::InverseOfReal(Complex* values) const {
  values[0] = values[0].real();
  for (int64_t k = 1; 2 * k <= length_; ++k) {
    if (2 * k == length_) {
      values[k] = values[k].real();
    } else {
      values[length_ - k] = std::conj(values[k]);
    }
  }
  Inverse(values);
}

}  // namespace inferd
