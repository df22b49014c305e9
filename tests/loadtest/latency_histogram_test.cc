#include "loadtest/latency_histogram.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace inferd::loadtest {
namespace {

double Ns(absl::Duration duration) { return absl::ToDoubleNanoseconds(duration); }

TEST(LatencyHistogram, IsZeroWhileEmpty) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_EQ(histogram.mean(), absl::ZeroDuration());
  EXPECT_EQ(histogram.Quantile(0.99), absl::ZeroDuration());
}

TEST(LatencyHistogram, KeepsQuantilesWithinOnePercentOverNineDecades) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> decades(0, 12);
  std::vector<double> values;
  LatencyHistogram histogram;
  for (int i = 0; i < 20000; ++i) {
    values.push_back(std::floor(std::pow(10.0, decades(random))));
    histogram.Record(absl::Nanoseconds(values.back()));
  }
  std::sort(values.begin(), values.end());
  for (double fraction : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const double exact = values[std::ceil(fraction * values.size()) - 1];
    EXPECT_NEAR(Ns(histogram.Quantile(fraction)), exact, exact * 0.01) << fraction;
  }
}

TEST(LatencyHistogram, KeepsMeanAndMaximumExactly) {
  LatencyHistogram histogram;
  histogram.Record(absl::Nanoseconds(1000001));
  histogram.Record(absl::Nanoseconds(3000003));
  EXPECT_EQ(histogram.mean(), absl::Nanoseconds(2000002));
  EXPECT_EQ(histogram.max(), absl::Nanoseconds(3000003));
}

TEST(LatencyHistogram, TakesDurationsBeyondItsRangeAsItsEnds) {
  LatencyHistogram histogram;
  histogram.Record(-absl::Seconds(1));
  histogram.Record(absl::Hours(100));
  EXPECT_EQ(histogram.count(), 2);
  EXPECT_EQ(histogram.Quantile(0.5), absl::ZeroDuration());
  EXPECT_EQ(histogram.max(), absl::Hours(100));
  EXPECT_GT(histogram.Quantile(1.0), absl::Hours(1));
}

TEST(LatencyHistogram, MergesAsIfAllWereRecordedInOne) {
  LatencyHistogram a, b, both;
  for (int i = 1; i <= 100; ++i) {
    (i % 2 ? a : b).Record(absl::Microseconds(i));
    both.Record(absl::Microseconds(i));
  }
  a.Merge(b);
  EXPECT_EQ(a.count(), 100);
  EXPECT_EQ(a.Quantile(0.9), both.Quantile(0.9));
  EXPECT_EQ(a.max(), both.max());
}

}  // namespace
}  // namespace inferd::loadtest
