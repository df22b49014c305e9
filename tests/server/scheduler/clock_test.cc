#include "server/scheduler/clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace inferd {
namespace {

TEST(SystemClock, CallsBackInTheOrderOfTime) {
  Mutex mutex;
  CondVar changed;
  std::vector<int> calls;
  SystemClock clock;
  const absl::Time now = clock.Now();
  const auto record = [&](int number) {
    MutexLock lock(&mutex);
    calls.push_back(number);
    changed.SignalAll();
  };
  clock.CallAt(now + absl::Milliseconds(20), [&] { record(2); });
  clock.CallAt(now + absl::Milliseconds(10), [&] { record(1); });
  MutexLock lock(&mutex);
  while (calls.size() < 2) changed.Wait(&mutex);
  EXPECT_THAT(calls, ::testing::ElementsAre(1, 2));
  EXPECT_GE(clock.Now(), now + absl::Milliseconds(20));
}

TEST(SystemClock, DropsWhatIsNotDueWhenDestroyed) {
  bool called = false;
  {
    SystemClock clock;
    clock.CallAt(clock.Now() + absl::Hours(1), [&] { called = true; });
  }
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace inferd
