#pragma once

#include <cstdint>
#include <random>

#include "absl/time/time.h"

namespace inferd::loadtest {

// When the requests of an open-loop run are due: a Poisson process, the same for the same seed,
// fixed before the server is asked anything, so that a slow server cannot slow down its own load.
// Used by one thread at a time.
class ArrivalSchedule {
 public:
  // `rate` is requests a second, above 0.
  ArrivalSchedule(double rate, uint64_t seed) : rate_(rate), random_(seed) {}

  // The next arrival, counted from the start of the run; never earlier than the one before.
  absl::Duration Next();

 private:
  const double rate_;
  std::mt19937_64 random_;
  double seconds_ = 0;
};

}  // namespace inferd::loadtest
