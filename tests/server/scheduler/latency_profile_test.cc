#include "server/scheduler/latency_profile.h"

#include <gtest/gtest.h>

namespace inferd {
namespace {

TEST(LatencyProfile, KnowsNothingAtFirst) {
  EXPECT_EQ(LatencyProfile().Estimate(4), absl::ZeroDuration());
}

TEST(LatencyProfile, ScalesFromTheNearestSize) {
  LatencyProfile profile;
  profile.Observe(1, absl::Milliseconds(2));
  profile.Observe(16, absl::Milliseconds(16));
  EXPECT_NEAR(absl::ToDoubleMilliseconds(profile.Estimate(1)), 2, 1e-6);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(profile.Estimate(2)), 4, 1e-6);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(profile.Estimate(32)), 32, 1e-6);
}

TEST(LatencyProfile, FollowsAChange) {
  LatencyProfile profile;
  for (int i = 0; i < 10; ++i) profile.Observe(1, absl::Milliseconds(2));
  for (int i = 0; i < 100; ++i) profile.Observe(1, absl::Milliseconds(6));
  EXPECT_NEAR(absl::ToDoubleMilliseconds(profile.Estimate(1)), 6, 0.01);
}

TEST(LatencyProfile, SurvivesAnyNumberOfRows) {
  LatencyProfile profile;
  profile.Observe(int64_t{1} << 40, absl::Seconds(1));
  EXPECT_GT(profile.Estimate(int64_t{1} << 39), absl::ZeroDuration());
  EXPECT_GE(profile.Estimate(0), absl::ZeroDuration());
}

}  // namespace
}  // namespace inferd
