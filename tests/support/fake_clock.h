#pragma once

#include <functional>
#include <map>
#include <utility>

#include "engine/core/mutex.h"
#include "server/scheduler/clock.h"

namespace inferd {

// A clock that stands still until a test moves it. Thread-safe.
class FakeClock : public Clock {
 public:
  absl::Time Now() override {
    MutexLock lock(&mutex_);
    return now_;
  }

  void CallAt(absl::Time when, std::function<void()> callback) override {
    MutexLock lock(&mutex_);
    callbacks_.emplace(when, std::move(callback));
  }

  // Moves the time on; what falls due is called on this thread, each at its own time.
  void Advance(absl::Duration duration) {
    const absl::Time end = Now() + duration;
    while (true) {
      std::function<void()> callback;
      {
        MutexLock lock(&mutex_);
        const auto first = callbacks_.begin();
        if (first == callbacks_.end() || first->first > end) {
          now_ = end;
          return;
        }
        if (first->first > now_) now_ = first->first;
        callback = std::move(first->second);
        callbacks_.erase(first);
      }
      callback();
    }
  }

  size_t pending() {
    MutexLock lock(&mutex_);
    return callbacks_.size();
  }

 private:
  Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_) = absl::FromUnixSeconds(1700000000);
  std::multimap<absl::Time, std::function<void()>> callbacks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace inferd
