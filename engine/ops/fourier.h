#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

namespace inferd {

// The discrete Fourier transform of one length, X[k] = sum over n of x[n] exp(-2 pi i k n /
// length), in n log n steps for every length: passes over the length's prime factors (Cooley and
// Tukey, 1965) where these are small, else Bluestein's (1970) convolution by a power of two, in
// double precision. Real is float or double. Immutable.
template <typename Real>
class FourierTransform {
 public:
  using Complex = std::complex<Real>;

  // INVALID_ARGUMENT for a length below 1, RESOURCE_EXHAUSTED when it needs over `limit_bytes`.
  static absl::StatusOr<FourierTransform> Make(int64_t length, int64_t limit_bytes);

  int64_t length() const { return length_; }
  // All in place, over `length` values.
  void Forward(Complex* values) const;
  // The inverse of Forward: exp(+...), divided by the length.
  void Inverse(Complex* values) const;
  // Forward of a signal without imaginary parts, whose spectrum comes out exactly symmetric.
  void ForwardOfReal(Complex* values) const;
  // Inverse of the spectrum of a real signal, of which values[0 .. length/2] are given.
  void InverseOfReal(Complex* values) const;

 private:
  explicit FourierTransform(int64_t length);
  void RunPasses(Complex* values) const;
  void Convolve(Complex* values) const;

  int64_t length_;
  std::vector<int64_t> radices_;  // their product is the length; empty for Bluestein's way
  std::vector<Complex> roots_;    // exp(-2 pi i k / length)
  // Bluestein's way.
  std::vector<std::complex<double>> chirp_;  // exp(-pi i k^2 / length)
  std::vector<std::complex<double>> chirp_spectrum_;
  std::vector<FourierTransform<double>> padded_;  // none or one
};

extern template class FourierTransform<float>;
extern template class FourierTransform<double>;

}  // namespace inferd
