#include "engine/providers/cuda/wait_pacer.h"

#include "gtest/gtest.h"

namespace inferd::cuda {
namespace {

WaitPacer After(absl::Duration wait) {
  WaitPacer pacer;
  for (int i = 0; i < 100; ++i) pacer.Add(wait);
  return pacer;
}

TEST(WaitPacer, LooksAtOnceWhileItKnowsNothing) {
  EXPECT_EQ(WaitPacer().sleep(), absl::ZeroDuration());
  EXPECT_EQ(WaitPacer().spin(), absl::Microseconds(50));
}

TEST(WaitPacer, SleepsForMostOfALongWait) {
  const WaitPacer pacer = After(absl::Milliseconds(4));
  EXPECT_GT(pacer.sleep(), absl::Microseconds(2800));
  EXPECT_LT(pacer.sleep(), absl::Milliseconds(3));
  EXPECT_EQ(pacer.spin(), absl::Microseconds(250));
}

TEST(WaitPacer, DoesNotSleepForShortWaits) {
  EXPECT_EQ(After(absl::Microseconds(120)).sleep(), absl::ZeroDuration());
}

TEST(WaitPacer, FindsBackToShortWaits) {
  WaitPacer pacer = After(absl::Milliseconds(4));
  // Each wait is at least as long as its own sleep.
  for (int i = 0; i < 30; ++i) pacer.Add(pacer.sleep() + absl::Microseconds(20));
  EXPECT_LT(pacer.sleep(), absl::Microseconds(20));
}

}  // namespace
}  // namespace inferd::cuda
