#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "engine/core/mutex.h"

namespace inferd {

// Runs tasks in threads of its own: those of one key one after the other in the order given, those
// of different keys side by side. Thread-safe.
class KeyedTasks {
 public:
  // Told whether to run: false when the object goes first. Must not throw.
  using Task = absl::AnyInvocable<void(bool run)>;

  // Tasks that may wait; more are refused.
  static constexpr size_t kMaxWaiting = 10000;

  // `begin` is called first in each thread.
  KeyedTasks(int threads, std::function<void()> begin);
  // Stops; tasks that still wait are called with false.
  ~KeyedTasks();
  KeyedTasks(const KeyedTasks&) = delete;
  KeyedTasks& operator=(const KeyedTasks&) = delete;

  // Waits for the tasks under way; no other begins any more.
  void Stop();

  // RESOURCE_EXHAUSTED when too many wait; the task is then not called.
  absl::Status Submit(const std::string& key, Task task);
  // Submits a task that the limit does not count, such as one that was announced before.
  void SubmitAnyway(const std::string& key, Task task);

 private:
  struct Line {
    std::deque<Task> tasks;
    bool running = false;
  };

  void Loop();

  const std::function<void()> begin_;
  Mutex mutex_;
  CondVar wake_;
  // Keys with tasks that wait or run, and of those that could run at once the order.
  std::map<std::string, Line> lines_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> ready_ ABSL_GUARDED_BY(mutex_);
  size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace inferd
