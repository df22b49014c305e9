#pragma once

#include <algorithm>

#include "absl/time/time.h"

namespace inferd::cuda {

// How to wait for work whose time is learned from the waits before: asleep for most of it, then
// looking again and again for a moment, so that an answer is found within microseconds of being
// there without a core that spins all the while; what takes longer than expected is waited for
// blocked. Used by one thread at a time.
class WaitPacer {
 public:
  // Before it is looked for.
  absl::Duration sleep() const {
    return std::max(expected_ * 3 / 4 - kWakingUp, absl::ZeroDuration());
  }
  // While it is looked for, before blocking.
  absl::Duration spin() const { return std::clamp(expected_ / 2, kLeastSpin, kMostSpin); }

  // A wait took this long. A shorter one counts at once: who slept too long learns of no less than
  // his own sleep.
  void Add(absl::Duration waited) {
    expected_ = waited < expected_ ? waited : expected_ + (waited - expected_) / 8;
  }

 private:
  static constexpr absl::Duration kWakingUp = absl::Microseconds(100);
  static constexpr absl::Duration kLeastSpin = absl::Microseconds(50);
  static constexpr absl::Duration kMostSpin = absl::Microseconds(250);

  absl::Duration expected_;
};

}  // namespace inferd::cuda
