#include "server/repository/keyed_tasks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>

namespace inferd {
namespace {

using ::testing::ElementsAre;

class KeyedTasksTest : public ::testing::Test {
 protected:
  KeyedTasks::Task Note(const std::string& name) {
    return [this, name](bool run) {
      MutexLock lock(&mutex_);
      done_.push_back(run ? name : "not " + name);
      changed_.SignalAll();
    };
  }
  // Runs until Release().
  KeyedTasks::Task Hold() {
    return [this](bool) {
      MutexLock lock(&mutex_);
      ++held_;
      changed_.SignalAll();
      while (!released_) changed_.Wait(&mutex_);
    };
  }
  void AwaitHeld(int count) {
    MutexLock lock(&mutex_);
    while (held_ < count) changed_.Wait(&mutex_);
  }
  void AwaitDone(size_t count) {
    MutexLock lock(&mutex_);
    while (done_.size() < count) changed_.Wait(&mutex_);
  }
  void Release() {
    MutexLock lock(&mutex_);
    released_ = true;
    changed_.SignalAll();
  }

  Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> done_;
  int held_ = 0;
  bool released_ = false;
};

TEST_F(KeyedTasksTest, RunsTasksOfOneKeyInTheirOrder) {
  KeyedTasks tasks(3, [] {});
  ASSERT_TRUE(tasks.Submit("a", Hold()).ok());
  AwaitHeld(1);
  for (const char* name : {"1", "2", "3"}) ASSERT_TRUE(tasks.Submit("a", Note(name)).ok());
  // Others pass.
  ASSERT_TRUE(tasks.Submit("b", Note("b")).ok());
  AwaitDone(1);
  Release();
  AwaitDone(4);
  EXPECT_THAT(done_, ElementsAre("b", "1", "2", "3"));
}

TEST_F(KeyedTasksTest, RunsDifferentKeysSideBySide) {
  KeyedTasks tasks(2, [] {});
  ASSERT_TRUE(tasks.Submit("a", Hold()).ok());
  ASSERT_TRUE(tasks.Submit("b", Hold()).ok());
  AwaitHeld(2);
  Release();
}

TEST_F(KeyedTasksTest, TellsTasksThatNeverRan) {
  {
    KeyedTasks tasks(0, [] {});
    ASSERT_TRUE(tasks.Submit("a", Note("a")).ok());
  }
  EXPECT_THAT(done_, ElementsAre("not a"));
}

TEST_F(KeyedTasksTest, RefusesTasksOverTheLimit) {
  KeyedTasks tasks(0, [] {});
  for (size_t i = 0; i < KeyedTasks::kMaxWaiting; ++i) {
    ASSERT_TRUE(tasks.Submit("a", [](bool) {}).ok());
  }
  EXPECT_EQ(tasks.Submit("b", Note("b")).code(), absl::StatusCode::kResourceExhausted);
  tasks.SubmitAnyway("b", Note("b"));
}

TEST_F(KeyedTasksTest, BeginsEveryThread) {
  std::atomic<int> begun{0};
  {
    KeyedTasks tasks(2, [&] { ++begun; });
    ASSERT_TRUE(tasks.Submit("a", Note("a")).ok());
    AwaitDone(1);
  }
  EXPECT_EQ(begun, 2);
}

}  // namespace
}  // namespace inferd
