#include "server/scheduler/clock.h"

#include <algorithm>
#include <utility>

namespace inferd {

SystemClock::SystemClock() : thread_([this] { Loop(); }) {}

SystemClock::~SystemClock() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wake_.SignalAll();
  thread_.join();
}

void SystemClock::CallAt(absl::Time when, std::function<void()> callback) {
  bool is_first;
  {
    MutexLock lock(&mutex_);
    const auto it = callbacks_.emplace(when, std::move(callback));
    is_first = it == callbacks_.begin();
  }
  if (is_first) wake_.Signal();
}

void SystemClock::Loop() {
  mutex_.Lock();
  while (!stopping_) {
    if (callbacks_.empty()) {
      wake_.Wait(&mutex_);
      continue;
    }
    const absl::Duration wait = callbacks_.begin()->first - absl::Now();
    if (wait > absl::ZeroDuration()) {
      // Bounded, because the wall clock may be set while we wait.
      wake_.WaitFor(&mutex_, std::min(wait, absl::Seconds(1)));
      continue;
    }
    std::function<void()> callback = std::move(callbacks_.begin()->second);
    callbacks_.erase(callbacks_.begin());
    mutex_.Unlock();
    callback();
    callback = nullptr;
    mutex_.Lock();
  }
  mutex_.Unlock();
}

}  // namespace inferd
