#include "engine/core/mutex.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace inferd {
namespace {

// What the lock guards; the annotation makes clang check the test as well.
struct Counter {
  Mutex mutex;
  CondVar changed;
  int value ABSL_GUARDED_BY(mutex) = 0;
};

TEST(Mutex, GuardsACounterAgainstManyThreads) {
  Counter counter;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&counter] {
      for (int j = 0; j < 1000; ++j) {
        MutexLock lock(&counter.mutex);
        ++counter.value;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  MutexLock lock(&counter.mutex);
  EXPECT_EQ(counter.value, 4000);
}

TEST(Mutex, TryLockFailsWhileAnotherThreadHoldsIt) {
  Mutex mutex;
  MutexLock lock(&mutex);
  bool got = true;
  std::thread([&mutex, &got] {
    got = mutex.TryLock();
    if (got) mutex.Unlock();
  }).join();
  EXPECT_FALSE(got);
}

TEST(CondVar, WakesAWaiterWhenAnotherThreadSignals) {
  Counter counter;
  std::thread setter([&counter] {
    MutexLock lock(&counter.mutex);
    counter.value = 1;
    counter.changed.SignalAll();
  });
  {
    MutexLock lock(&counter.mutex);
    while (counter.value == 0) counter.changed.Wait(&counter.mutex);
    EXPECT_EQ(counter.value, 1);
  }
  setter.join();
}

TEST(CondVar, ATimedWaitEndsByItself) {
  Counter counter;
  MutexLock lock(&counter.mutex);
  bool timed_out = false;
  // A wait may also wake for no reason.
  while (!timed_out) timed_out = counter.changed.WaitFor(&counter.mutex, absl::Milliseconds(1));
  EXPECT_TRUE(timed_out);
}

}  // namespace
}  // namespace inferd
