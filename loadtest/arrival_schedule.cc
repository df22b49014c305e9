#include "loadtest/arrival_schedule.h"

#include <cmath>

namespace inferd::loadtest {

absl::Duration ArrivalSchedule::Next() {
  // 53 random bits in [0, 1); the standard distributions differ between libraries.
  const double uniform = static_cast<double>(random_() >> 11) * 0x1.0p-53;
  seconds_ += -std::log1p(-uniform) / rate_;
  return absl::Seconds(seconds_);
}

}  // namespace inferd::loadtest
