#include "loadtest/arrival_schedule.h"

#include <cmath>

#include "gtest/gtest.h"

namespace inferd::loadtest {
namespace {

TEST(ArrivalSchedule, IsTheSameForTheSameSeed) {
  ArrivalSchedule a(100, 3), b(100, 3), c(100, 4);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const absl::Duration next = a.Next();
    EXPECT_EQ(next, b.Next());
    differs |= next != c.Next();
  }
  EXPECT_TRUE(differs);
}

TEST(ArrivalSchedule, NeverGoesBack) {
  ArrivalSchedule schedule(1e6, 1);
  absl::Duration last;
  for (int i = 0; i < 10000; ++i) {
    const absl::Duration next = schedule.Next();
    EXPECT_GE(next, last);
    last = next;
  }
}

TEST(ArrivalSchedule, HasExponentialGapsOfTheGivenRate) {
  constexpr int kArrivals = 100000;
  ArrivalSchedule schedule(250, 1);
  double sum = 0, squares = 0, last = 0;
  for (int i = 0; i < kArrivals; ++i) {
    const double now = absl::ToDoubleSeconds(schedule.Next());
    sum += now - last;
    squares += (now - last) * (now - last);
    last = now;
  }
  const double mean = sum / kArrivals;
  EXPECT_NEAR(mean, 1.0 / 250, 0.02 / 250);
  // Of an exponential distribution the deviation equals the mean.
  EXPECT_NEAR(std::sqrt(squares / kArrivals - mean * mean), mean, 0.03 * mean);
}

}  // namespace
}  // namespace inferd::loadtest
