#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/core/mutex.h"

namespace inferd {

// On which of a model's devices an execution goes: where it will be done first, by what is under
// way there and what executions of its size took on it before. Thread-safe.
class DevicePlacement {
 public:
  using Usable = std::function<bool(int device)>;
  // An execution under way.
  struct Ticket {
    int device = 0;
    int size_class = 0;
    absl::Time start;
  };

  // `most_running` executions at once on each device; 0: any number. `usable` says which devices
  // may be used; where none may, all are.
  DevicePlacement(int devices, int most_running, Usable usable,
                  std::function<absl::Time()> now = absl::Now);

  // Waits while every device runs as many as it may. `bytes` are those of the inputs.
  Ticket Begin(int64_t bytes);
  // Of a failed execution the time says nothing.
  void End(const Ticket& ticket, bool failed);

 private:
  struct Device {
    int running = 0;
    absl::Time free_at = absl::InfinitePast();   // when what is under way is expected to be done
    absl::Time last_end = absl::InfinitePast();  // of any execution
    std::array<absl::Duration, 64> times{};      // moving averages by size; zero: not known
  };

  // The best device with room; -1 where there is none.
  int Choose(int size_class, absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int most_running_;
  const Usable usable_;
  const std::function<absl::Time()> now_;
  mutable Mutex mutex_;
  CondVar ended_;
  std::vector<Device> devices_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace inferd
