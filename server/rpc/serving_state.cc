#include "server/rpc/serving_state.h"

#include "absl/time/clock.h"

namespace inferd {

bool ServingState::IsModelReady(absl::string_view name, absl::string_view version) const {
  return !draining_ && repository_->Get(name, version).ok();
}

bool ServingState::Enter() {
  calls_.fetch_add(1);
  if (!refusing_) return true;
  Leave();
  return false;
}

void ServingState::Leave() {
  // Either this sees `refusing_` or WaitIdle() sees the count: both are sequentially consistent.
  if (calls_.fetch_sub(1) == 1 && refusing_) {
    MutexLock lock(&mutex_);
    idle_.SignalAll();
  }
}

bool ServingState::WaitIdle(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  MutexLock lock(&mutex_);
  while (calls_ > 0) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    idle_.WaitFor(&mutex_, left);
  }
  return true;
}

}  // namespace inferd
