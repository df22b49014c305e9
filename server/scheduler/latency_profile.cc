#include "server/scheduler/latency_profile.h"

#include <algorithm>
#include <bit>

namespace inferd {
namespace {

// The weight of a new measurement once there are a few.
constexpr double kWeight = 0.125;

}  // namespace

int LatencyProfile::SizeOf(int64_t rows) {
  const int log2 = std::bit_width(static_cast<uint64_t>(std::max<int64_t>(rows, 1))) - 1;
  return std::min(log2, 31);
}

void LatencyProfile::Observe(int64_t rows, absl::Duration duration) {
  Size& size = sizes_[SizeOf(rows)];
  ++size.observations;
  const double weight = std::max(kWeight, 1.0 / static_cast<double>(size.observations));
  size.rows += weight * (static_cast<double>(rows) - size.rows);
  size.seconds += weight * (absl::ToDoubleSeconds(duration) - size.seconds);
}

absl::Duration LatencyProfile::Estimate(int64_t rows) const {
  const int wanted = SizeOf(rows);
  const int count = static_cast<int>(sizes_.size());
  for (int distance = 0; distance < count; ++distance) {
    for (const int i : {wanted - distance, wanted + distance}) {
      if (i < 0 || i >= count || sizes_[i].observations == 0) continue;
      const double scale = static_cast<double>(rows) / sizes_[i].rows;
      return absl::Seconds(sizes_[i].seconds * scale);
    }
  }
  return absl::ZeroDuration();
}

}  // namespace inferd
