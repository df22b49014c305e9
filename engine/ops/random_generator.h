#pragma once

#include <cstdint>
#include <optional>
#include <random>

#include "engine/graph/attributes.h"

namespace inferd {

// Random numbers that a seed alone decides: the Mersenne Twister MT19937 (Matsumoto and Nishimura,
// 1998) seeded by one integer. numpy.random.RandomState gives the same numbers for the same seed,
// and so does the standard's reference. Kernels make one each time they run, so that a node gives
// the same numbers for every request. Used by one thread at a time.
class RandomGenerator {
 public:
  // The low 32 bits of `seed` count.
  explicit RandomGenerator(int64_t seed) : engine_(static_cast<uint32_t>(seed)) {}
  // Seeded by the integer part of attribute `seed` (a float or an integer).
  explicit RandomGenerator(const Attributes& attributes);

  // Uniform in [0, 1), a multiple of 2^-53.
  double Uniform();
  // Normal with mean 0 and deviation 1, by the polar method (Marsaglia and Bray, 1964).
  double Normal();

 private:
  std::mt19937 engine_;
  std::optional<double> spare_;  // the polar method makes two numbers at once
};

}  // namespace inferd
