#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace inferd::loadtest {

// Counts durations in buckets that grow with the value, so that any quantile from nanoseconds to an
// hour is right within 1 % in 40 KB. A value type; used by one thread at a time.
class LatencyHistogram {
 public:
  LatencyHistogram();

  // Negative durations count as zero, those beyond the range as its end; max() stays exact.
  void Record(absl::Duration latency);
  void Merge(const LatencyHistogram& other);

  int64_t count() const { return count_; }
  absl::Duration mean() const;
  absl::Duration max() const { return absl::Nanoseconds(max_ns_); }
  // The smallest recorded value that at least `fraction` (0..1) of all values do not exceed, within
  // a bucket; zero while empty.
  absl::Duration Quantile(double fraction) const;

 private:
  std::vector<int64_t> buckets_;
  int64_t count_ = 0;
  double sum_ns_ = 0;
  int64_t max_ns_ = 0;
};

}  // namespace inferd::loadtest
