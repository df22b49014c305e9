#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

namespace inferd {

// The discrete Fourier transform of one length in double precision: the radix-2 transform of Cooley
// and Tukey (1965) where the length is a power of two, else Bluestein's (1970) convolution by one;
// n log n steps for every length. Immutable.
class FourierTransform {
 public:
  using Complex = std::complex<double>;

  // INVALID_ARGUMENT for a length below 1, RESOURCE_EXHAUSTED when it needs over `limit_bytes`.
  static absl::StatusOr<FourierTransform> Make(int64_t length, int64_t limit_bytes);

  int64_t length() const { return length_; }
  // values[k] = sum over n of values[n] exp(-2 pi i k n / length).
  void Forward(Complex* values) const;
  // The same with exp(+...), divided by the length: the inverse of Forward.
  void Inverse(Complex* values) const;
  // Inverse of the spectrum of a real signal, of which values[0 .. length/2] are given.
  void InverseOfReal(Complex* values) const;

 private:
  explicit FourierTransform(int64_t length);

  int64_t length_;
  int64_t padded_;              // the power of two that is transformed
  std::vector<Complex> roots_;  // exp(-2 pi i k / padded_), k < padded_ / 2
  std::vector<Complex> chirp_;  // exp(-pi i k^2 / length_); empty for a power of two
  std::vector<Complex> chirp_spectrum_;
};

}  // namespace inferd
