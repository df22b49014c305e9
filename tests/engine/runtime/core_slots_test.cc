#include "engine/runtime/core_slots.h"

#include <atomic>
#include <cfenv>
#include <fstream>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace inferd {
namespace {

TEST(CoreSlots, RunsEverythingSubmittedBeforeItEnds) {
  std::atomic<int> ran{0};
  {
    CoreSlots slots(3, 1);
    for (int i = 0; i < 1000; ++i) slots.Submit([&](CoreSlot&) { ++ran; });
  }
  EXPECT_EQ(ran, 1000);
}

TEST(CoreSlots, LetsATaskSubmitAnother) {
  CoreSlots slots(1, 1);
  std::atomic<bool> inner{false};
  slots.RunAndWait([&](CoreSlot&) { slots.Submit([&](CoreSlot&) { inner = true; }); });
  slots.RunAndWait([](CoreSlot&) {});
  EXPECT_TRUE(inner);
}

TEST(CoreSlots, CountsWaitingTasksWhileItsSlotIsBusy) {
  CoreSlots slots(1, 1);
  slots.RunAndWait([&](CoreSlot&) {
    slots.Submit([](CoreSlot&) {});
    EXPECT_EQ(slots.waiting(), 1);
    EXPECT_EQ(slots.idle(), 0);
  });
}

TEST(CoreSlots, RunsHereOnlyWhileASlotIsIdle) {
  CoreSlots slots(1, 1);
  slots.RunAndWait([&](CoreSlot&) { EXPECT_FALSE(slots.TryRunHere([](CoreSlot&) { FAIL(); })); });
  const std::thread::id here = std::this_thread::get_id();
  std::thread::id ran;
  // The slot's thread may still be on its way back from the task above.
  while (!slots.TryRunHere([&](CoreSlot&) { ran = std::this_thread::get_id(); })) {
    std::this_thread::yield();
  }
  EXPECT_EQ(ran, here);
}

// A denormal number times one, on this thread.
float Denormal() {
  volatile float tiny = 1e-40f;
  volatile float one = 1.0f;
  return tiny * one;
}

TEST(CoreSlots, TakeDenormalNumbersForZeroOnAllTheirThreads) {
  static constexpr int kThreads = 3;
  CoreSlots slots(1, kThreads);
  const auto expect_zeros = [](CoreSlot& slot) {
    EXPECT_EQ(Denormal(), 0.0f);
    std::atomic<int> zeros{0};
#pragma omp parallel num_threads(slot.threads())
    zeros += Denormal() == 0.0f ? 1 : 0;
    EXPECT_EQ(zeros, kThreads);
  };
  slots.RunAndWait(expect_zeros);
  std::thread other([&] {
    std::fesetenv(FE_DFL_ENV);  // whatever the test's thread had
    EXPECT_NE(Denormal(), 0.0f);
    // The slot's thread may still be on its way back from the task above.
    while (!slots.TryRunHere(expect_zeros)) std::this_thread::yield();
  });
  other.join();
}

TEST(CoreSlot, GrowsItsArenaAndKeepsItAligned) {
  CoreSlot slot(1);
  std::byte* small = slot.Arena(100);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(small) % 64, 0u);
  EXPECT_EQ(slot.Arena(50), small);
  slot.Arena(1 << 20);
  EXPECT_GE(slot.arena_bytes(), 1 << 20);
}

TEST(CoreSlots, GiveBackArenasThatAreLargerThanAnyModelNeeds) {
  CoreSlots slots(2, 1);
  const auto grow = [](CoreSlot& slot) {
    ASSERT_NE(slot.Arena(1 << 20), nullptr);
    ASSERT_NE(slot.Nested().Arena(1000), nullptr);
  };
  // Whichever slot runs a task: all of them have had theirs.
  for (int i = 0; i < 20; ++i) slots.RunAndWait(grow);
  while (!slots.TryRunHere(grow)) std::this_thread::yield();
  slots.ReleaseArenas(1024);
  const auto check = [](CoreSlot& slot) {
    EXPECT_EQ(slot.arena_bytes(), 0);
    EXPECT_LE(slot.Nested().arena_bytes(), 1024);
  };
  for (int i = 0; i < 20; ++i) slots.RunAndWait(check);
  while (!slots.TryRunHere(check)) std::this_thread::yield();
  slots.RunAndWait(grow);
}

TEST(CoreSlot, KeepsAnArenaThatIsNeeded) {
  CoreSlot slot(1);
  std::byte* const arena = slot.Arena(4096);
  ASSERT_NE(slot.Nested().Arena(1 << 16), nullptr);
  slot.ReleaseArena(4096);
  EXPECT_EQ(slot.Arena(4096), arena);
  EXPECT_EQ(slot.Nested().arena_bytes(), 0);
  slot.ReleaseArena(4095);
  EXPECT_EQ(slot.arena_bytes(), 0);
}

TEST(AvailableCores, IsAtLeastOne) { EXPECT_GE(AvailableCores(), 1); }

// Threads of this process.
int ThreadCount() {
  std::ifstream status("/proc/self/status");
  int count = 0;
  for (std::string word; status >> word;) {
    if (word == "Threads:") status >> count;
  }
  return count;
}

TEST(OpenMpThreads, GoWhenTheyAreReleased) {
  const int before = ThreadCount();
  PrepareThread(3);
  std::atomic<int> team{0};
#pragma omp parallel
  ++team;
  ASSERT_EQ(team, 3);
  ASSERT_EQ(ThreadCount(), before + 2);
  ReleaseOpenMpThreads();
  // They end on their own time.
  while (ThreadCount() > before) std::this_thread::yield();
  PrepareThread(1);
}

}  // namespace
}  // namespace inferd
