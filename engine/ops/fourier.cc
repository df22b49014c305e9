#include "engine/ops/fourier.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <utility>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

// A pass over a larger prime takes more steps than Bluestein's way.
constexpr int64_t kLargestRadix = 61;

// std::complex's own product asks for NaN first, which costs more than the product.
template <typename Real>
std::complex<Real> Product(const std::complex<Real>& a, const std::complex<Real>& b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// exp(-2 pi i part / whole).
template <typename Real>
std::complex<Real> Root(int64_t part, int64_t whole) {
  const double angle =
      -2 * std::numbers::pi * static_cast<double>(part) / static_cast<double>(whole);
  return {static_cast<Real>(std::cos(angle)), static_cast<Real>(std::sin(angle))};
}

// Factors of at most kLargestRadix, fours first but a single two before them; empty when a prime
// factor is larger.
std::vector<int64_t> Factorize(int64_t length) {
  std::vector<int64_t> factors;
  for (; length % 4 == 0; length /= 4) factors.push_back(4);
  if (length % 2 == 0) {
    factors.insert(factors.begin(), 2);
    length /= 2;
  }
  for (int64_t factor = 3; factor <= kLargestRadix; factor += 2) {
    for (; length % factor == 0; length /= factor) factors.push_back(factor);
  }
  if (length > 1) return {};
  if (factors.empty()) factors.push_back(1);
  return factors;
}

// values[0 .. radix) become their transform. `roots` has exp(-2 pi i k / radix) at k * step.
template <typename Real>
class Butterfly {
 public:
  using Complex = std::complex<Real>;

  Butterfly(int64_t radix, const std::vector<Complex>& roots, int64_t step)
      : radix_(radix), result_(radix) {
    for (int64_t k = 0; k < radix; ++k) roots_.push_back(roots[k * step]);
  }

  void Apply(Complex* values) {
    if (radix_ == 2) return Two(values);
    if (radix_ == 3) return Three(values);
    if (radix_ == 4) return Four(values);
    if (radix_ == 5) return Five(values);
    for (int64_t k = 0; k < radix_; ++k) {
      Complex sum = values[0];
      for (int64_t j = 1; j < radix_; ++j) sum += Product(values[j], roots_[j * k % radix_]);
      result_[k] = sum;
    }
    std::copy(result_.begin(), result_.end(), values);
  }

 private:
  // i times a value.
  static Complex Turned(const Complex& value) { return {-value.imag(), value.real()}; }

  static void Two(Complex* v) {
    const Complex difference = v[0] - v[1];
    v[0] += v[1];
    v[1] = difference;
  }

  void Three(Complex* v) const {
    const Complex sum = v[1] + v[2];
    const Complex even = v[0] + roots_[1].real() * sum;
    const Complex odd = Turned(roots_[1].imag() * (v[1] - v[2]));
    v[0] += sum;
    v[1] = even + odd;
    v[2] = even - odd;
  }

  static void Four(Complex* v) {
    const Complex even_sum = v[0] + v[2], even_difference = v[0] - v[2];
    const Complex odd_sum = v[1] + v[3], odd_difference = Turned(v[1] - v[3]);
    v[0] = even_sum + odd_sum;
    v[1] = even_difference - odd_difference;
    v[2] = even_sum - odd_sum;
    v[3] = even_difference + odd_difference;
  }

  void Five(Complex* v) const {
    const Complex outer_sum = v[1] + v[4], outer_difference = v[1] - v[4];
    const Complex inner_sum = v[2] + v[3], inner_difference = v[2] - v[3];
    const Real cos1 = roots_[1].real(), sin1 = roots_[1].imag();
    const Real cos2 = roots_[2].real(), sin2 = roots_[2].imag();
    const Complex even1 = v[0] + cos1 * outer_sum + cos2 * inner_sum;
    const Complex even2 = v[0] + cos2 * outer_sum + cos1 * inner_sum;
    const Complex odd1 = Turned(sin1 * outer_difference + sin2 * inner_difference);
    const Complex odd2 = Turned(sin2 * outer_difference - sin1 * inner_difference);
    v[0] = v[0] + outer_sum + inner_sum;
    v[1] = even1 + odd1;
    v[2] = even2 + odd2;
    v[3] = even2 - odd2;
    v[4] = even1 - odd1;
  }

  int64_t radix_;
  std::vector<Complex> roots_;
  std::vector<Complex> result_;
};

// Makes a spectrum that of a real signal by what its first half has.
template <typename Real>
void MakeSymmetric(std::complex<Real>* values, int64_t length) {
  values[0] = values[0].real();
  for (int64_t k = 1; 2 * k < length; ++k) values[length - k] = std::conj(values[k]);
  if (length % 2 == 0) values[length / 2] = values[length / 2].real();
}

}  // namespace

template <typename Real>
absl::StatusOr<FourierTransform<Real>> FourierTransform<Real>::Make(int64_t length,
                                                                    int64_t limit_bytes) {
  if (length < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("the transform's length is ", length, ", expected at least 1"));
  }
  // Bluestein's way pads to less than four times the length, with a few lists of that size.
  constexpr int64_t kBytesAtMost = 512;
  if (length > limit_bytes / kBytesAtMost) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a transform of length ", length, " is over the limit of memory"));
  }
  return FourierTransform(length);
}

template <typename Real>
FourierTransform<Real>::FourierTransform(int64_t length)
    : length_(length), radices_(Factorize(length)) {
  if (!radices_.empty()) {
    roots_.reserve(length);
    for (int64_t k = 0; k < length; ++k) roots_.push_back(Root<Real>(k, length));
    return;
  }
  // k^2 modulo 2 length, kept small so that the angle stays exact.
  chirp_.reserve(length);
  for (int64_t k = 0, square = 0; k < length; square = (square + 2 * k + 1) % (2 * length), ++k) {
    chirp_.push_back(Root<double>(square, 2 * length));
  }
  const auto padded = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(2 * length - 1)));
  padded_.push_back(FourierTransform<double>::Make(padded, INT64_MAX).value());
  chirp_spectrum_.assign(padded, 0);
  for (int64_t k = 0; k < length; ++k) {
    chirp_spectrum_[k] = std::conj(chirp_[k]);
    if (k > 0) chirp_spectrum_[padded - k] = std::conj(chirp_[k]);
  }
  padded_[0].Forward(chirp_spectrum_.data());
}

// Each pass transforms over one factor and turns the results by roots; reading and writing in these
// orders sorts the result on the way (Stockham, 1966).
template <typename Real>
void FourierTransform<Real>::RunPasses(Complex* values) const {
  std::vector<Complex> other(length_);
  Complex* from = values;
  Complex* to = other.data();
  int64_t done = 1;
  for (int64_t radix : radices_) {
    const int64_t left = length_ / (done * radix);
    Butterfly<Real> butterfly(radix, roots_, length_ / radix);
    std::vector<Complex> part(radix);
    for (int64_t k = 0; k < done; ++k) {
      for (int64_t i = 0; i < left; ++i) {
        for (int64_t j = 0; j < radix; ++j) part[j] = from[i + left * (j + radix * k)];
        butterfly.Apply(part.data());
        to[i + left * k] = part[0];
        for (int64_t j = 1; j < radix; ++j) {
          to[i + left * (k + done * j)] = Product(part[j], roots_[i * done * j]);
        }
      }
    }
    std::swap(from, to);
    done *= radix;
  }
  if (from != values) std::copy(from, from + length_, values);
}

// k n = (k^2 + n^2 - (k - n)^2) / 2 turns the sum into a convolution with the chirp.
template <typename Real>
void FourierTransform<Real>::Convolve(Complex* values) const {
  const int64_t padded = padded_[0].length();
  std::vector<std::complex<double>> line(padded);
  for (int64_t k = 0; k < length_; ++k) {
    line[k] = Product(std::complex<double>(values[k]), chirp_[k]);
  }
  padded_[0].Forward(line.data());
  for (int64_t k = 0; k < padded; ++k) line[k] = Product(line[k], chirp_spectrum_[k]);
  padded_[0].Inverse(line.data());
  for (int64_t k = 0; k < length_; ++k) values[k] = Complex(Product(line[k], chirp_[k]));
}

template <typename Real>
void FourierTransform<Real>::Forward(Complex* values) const {
  if (radices_.empty()) {
    Convolve(values);
  } else {
    RunPasses(values);
  }
}

template <typename Real>
void FourierTransform<Real>::Inverse(Complex* values) const {
  for (int64_t k = 0; k < length_; ++k) values[k] = std::conj(values[k]);
  Forward(values);
  const Real scale = Real(1) / static_cast<Real>(length_);
  for (int64_t k = 0; k < length_; ++k) values[k] = std::conj(values[k]) * scale;
}

template <typename Real>
void FourierTransform<Real>::ForwardOfReal(Complex* values) const {
  Forward(values);
  MakeSymmetric(values, length_);
}

template <typename Real>
void FourierTransform<Real>::InverseOfReal(Complex* values) const {
  MakeSymmetric(values, length_);
  Inverse(values);
}

template class FourierTransform<float>;
template class FourierTransform<double>;

}  // namespace inferd
