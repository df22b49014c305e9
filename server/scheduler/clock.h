#pragma once

#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/core/mutex.h"

namespace inferd {

// Tells the time and calls back at a time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() = 0;
  // Calls `callback` once at `when` or soon after, on a thread of the clock. It must be short, and
  // must itself see to it that what it needs still lives. Never calls before it returns.
  virtual void CallAt(absl::Time when, std::function<void()> callback) = 0;
};

// The machine's clock, with one thread for callbacks. Those not due yet are dropped when it is
// destroyed. Thread-safe.
class SystemClock : public Clock {
 public:
  SystemClock();
  ~SystemClock() override;

  absl::Time Now() override { return absl::Now(); }
  void CallAt(absl::Time when, std::function<void()> callback) override;

 private:
  void Loop();

  Mutex mutex_;
  CondVar wake_;
  std::multimap<absl::Time, std::function<void()>> callbacks_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace inferd
