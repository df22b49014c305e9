#include "server/security/periodic_look.h"

#include <utility>

#include "absl/time/clock.h"

namespace inferd {

PeriodicLook::PeriodicLook(absl::Duration interval, std::function<void()> look)
    : interval_(interval), look_(std::move(look)), thread_([this] { Run(); }) {}

PeriodicLook::~PeriodicLook() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wake_.SignalAll();
  thread_.join();
}

void PeriodicLook::Run() {
  while (true) {
    {
      MutexLock lock(&mutex_);
      const absl::Time until = absl::Now() + interval_;
      while (!stopping_ && absl::Now() < until) wake_.WaitFor(&mutex_, until - absl::Now());
      if (stopping_) return;
    }
    look_();
  }
}

}  // namespace inferd
