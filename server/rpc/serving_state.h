#pragma once

#include <atomic>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/core/mutex.h"
#include "server/repository/model_repository.h"

namespace inferd {

// Where the daemon stands between start and exit, and how many calls are being answered. A drain
// goes through the steps in order: BeginDrain() (not ready any more, still serving), RefuseCalls()
// (new calls get UNAVAILABLE), WaitIdle(). Thread-safe; entering and leaving take no lock.
class ServingState {
 public:
  // `repository` outlives it. `strict`: ready only when every model is.
  ServingState(const ModelRepository* repository, bool strict)
      : repository_(repository), strict_(strict) {}
  ServingState(const ServingState&) = delete;
  ServingState& operator=(const ServingState&) = delete;

  // True when clients should send requests here.
  bool IsReady() const { return !draining_ && repository_->Ready(strict_); }
  // The same for one model; an empty version stands for any.
  bool IsModelReady(absl::string_view name, absl::string_view version) const;

  // Counts a call; false, with nothing counted, when calls are refused.
  bool Enter();
  // Ends a call that Enter() counted.
  void Leave();
  int64_t calls() const { return calls_; }

  void BeginDrain() { draining_ = true; }
  void RefuseCalls() { refusing_ = true; }
  // Waits until no call is being answered; false when `timeout` passed first. After RefuseCalls().
  bool WaitIdle(absl::Duration timeout);

 private:
  const ModelRepository* const repository_;
  const bool strict_;
  std::atomic<bool> draining_{false};
  std::atomic<bool> refusing_{false};
  std::atomic<int64_t> calls_{0};
  Mutex mutex_;
  CondVar idle_;
};

}  // namespace inferd
