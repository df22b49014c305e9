#include "server/commands/latency_summary.h"

#include <gtest/gtest.h>

namespace inferd {
namespace {

TEST(LatencySummary, TakesPercentilesByNearestRank) {
  std::vector<double> latencies;
  for (int i = 100; i >= 1; --i) latencies.push_back(i);
  const LatencySummary summary = Summarize(latencies);
  EXPECT_EQ(summary.p50, 50);
  EXPECT_EQ(summary.p90, 90);
  EXPECT_EQ(summary.p99, 99);
  EXPECT_EQ(summary.mean, 50.5);
}

TEST(LatencySummary, TakesAnyNumberOfLatencies) {
  EXPECT_EQ(Summarize({}).p50, 0);
  EXPECT_EQ(Summarize({3}).p99, 3);
}

TEST(LatencySummary, EscapesJsonStrings) {
  EXPECT_EQ(JsonString("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000a\"");
}

}  // namespace
}  // namespace inferd
