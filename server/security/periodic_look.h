#pragma once

#include <functional>
#include <thread>

#include "absl/time/time.h"
#include "engine/core/mutex.h"

namespace inferd {

// Calls a function again and again, in a thread of its own, until it is destroyed. Thread-safe.
class PeriodicLook {
 public:
  // The first call comes after `interval`.
  PeriodicLook(absl::Duration interval, std::function<void()> look);
  // Waits for a call under way.
  ~PeriodicLook();
  PeriodicLook(const PeriodicLook&) = delete;
  PeriodicLook& operator=(const PeriodicLook&) = delete;

 private:
  void Run();

  const absl::Duration interval_;
  const std::function<void()> look_;
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace inferd
