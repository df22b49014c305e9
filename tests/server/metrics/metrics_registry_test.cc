#include "server/metrics/metrics_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>

namespace inferd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr Metric kThings{"inferd_things_total", "Things that were done"};
constexpr Metric kLevel{"inferd_level", "How high it is"};

TEST(MetricsRegistry, WritesSeriesWithLabels) {
  MetricsRegistry registry;
  registry.AddCounter(kThings, {{"model", "a"}})->Increment(3);
  const std::string text = registry.Text();
  EXPECT_THAT(text, HasSubstr("# HELP inferd_things_total Things that were done"));
  EXPECT_THAT(text, HasSubstr("# TYPE inferd_things_total counter"));
  EXPECT_THAT(text, HasSubstr("inferd_things_total{model=\"a\"} 3"));
}

TEST(MetricsRegistry, KeepsASeriesUntilItsLastHolderRemovesIt) {
  MetricsRegistry registry;
  prometheus::Counter* old_one = registry.AddCounter(kThings, {{"model", "a"}});
  prometheus::Counter* new_one = registry.AddCounter(kThings, {{"model", "a"}});
  EXPECT_EQ(old_one, new_one);
  registry.Remove(kThings, old_one);
  EXPECT_THAT(registry.Text(), HasSubstr("model=\"a\""));
  registry.Remove(kThings, new_one);
  EXPECT_THAT(registry.Text(), Not(HasSubstr("model=\"a\"")));
}

TEST(MetricsRegistry, AsksForProcessGaugesAtEveryScrape) {
  MetricsRegistry registry;
  double level = 1;
  registry.AddProcessGauge(kLevel, [&] { return level; });
  EXPECT_THAT(registry.Text(), HasSubstr("inferd_level 1\n"));
  level = 2;
  EXPECT_THAT(registry.Text(), HasSubstr("inferd_level 2\n"));
}

TEST(MetricsRegistry, HasBucketsFromATenthOfAMillisecondToAMinute) {
  EXPECT_DOUBLE_EQ(MetricsRegistry::DurationBuckets().front(), 0.0001);
  EXPECT_DOUBLE_EQ(MetricsRegistry::DurationBuckets().back(), 60);
}

}  // namespace
}  // namespace inferd
