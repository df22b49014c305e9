#include "loadtest/latency_histogram.h"

#include <algorithm>
#include <cmath>

namespace inferd::loadtest {
namespace {

// Each power of two is cut into 2^kSubBits equal buckets: an error of at most 1 / 128.
constexpr int kSubBits = 7;
constexpr int64_t kSubBuckets = int64_t{1} << kSubBits;
constexpr int kMaxBits = 42;  // 2^42 ns is 73 minutes
constexpr int64_t kMaxNs = (int64_t{1} << kMaxBits) - 1;

int64_t BucketOf(int64_t ns) {
  if (ns < 2 * kSubBuckets) return ns;
  const int shift = 63 - __builtin_clzll(static_cast<uint64_t>(ns)) - kSubBits;
  return (int64_t{shift} << kSubBits) + (ns >> shift);
}

// The middle of a bucket.
int64_t ValueOf(int64_t bucket) {
  if (bucket < 2 * kSubBuckets) return bucket;
  const int shift = static_cast<int>(bucket >> kSubBits) - 1;
  const int64_t low = ((bucket & (kSubBuckets - 1)) + kSubBuckets) << shift;
  return low + (int64_t{1} << shift) / 2;
}

}  // namespace

LatencyHistogram::LatencyHistogram() : buckets_(BucketOf(kMaxNs) + 1) {}

void LatencyHistogram::Record(absl::Duration latency) {
  const int64_t ns = std::max<int64_t>(0, absl::ToInt64Nanoseconds(latency));
  ++buckets_[BucketOf(std::min(ns, kMaxNs))];
  ++count_;
  sum_ns_ += static_cast<double>(ns);
  max_ns_ = std::max(max_ns_, ns);
}

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  for (size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
  max_ns_ = std::max(max_ns_, other.max_ns_);
}

absl::Duration LatencyHistogram::mean() const {
  return count_ == 0 ? absl::ZeroDuration() : absl::Nanoseconds(sum_ns_ / count_);
}

absl::Duration LatencyHistogram::Quantile(double fraction) const {
  if (count_ == 0) return absl::ZeroDuration();
  const int64_t rank = std::clamp<int64_t>(std::ceil(fraction * count_), 1, count_);
  int64_t seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return absl::Nanoseconds(std::min(ValueOf(i), max_ns_));
  }
  return max();
}

}  // namespace inferd::loadtest
