#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/core/mutex.h"

namespace inferd {

// Whether there is memory for another model: what the process holds and what loads under way may
// still take, against a cap. A load asks before it compiles, with an estimate, and again when the
// exact need is known; a model that does not fit is refused, so that the kernel need not end the
// process. Thread-safe.
class MemoryBudget {
 public:
  // `used_bytes` tells what the process holds at this moment; from any thread.
  MemoryBudget(int64_t cap_bytes, std::function<int64_t()> used_bytes)
      : cap_bytes_(cap_bytes), used_bytes_(std::move(used_bytes)) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // The memory promised to one load, given back when it is destroyed.
  class Claim {
   public:
    Claim(MemoryBudget* budget, int64_t bytes) : budget_(*budget), bytes_(bytes) {}
    ~Claim();
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

   private:
    MemoryBudget& budget_;
    const int64_t bytes_;
  };

  int64_t cap_bytes() const { return cap_bytes_; }
  int64_t used_bytes() const { return used_bytes_(); }

  // What compiling a model of so many bytes of files takes at least: its weights, and an eighth of
  // them for its arena.
  static int64_t Estimate(int64_t file_bytes);

  // Promises `need_bytes` to a load that begins. Waits for other loads where it is only they that
  // stand in its way. RESOURCE_EXHAUSTED naming need, used and cap.
  absl::StatusOr<std::unique_ptr<Claim>> TakeClaim(int64_t need_bytes);

  // Whether a model that is loaded, and counted in used_bytes(), may stay: `arenas` further arenas
  // of `arena_bytes` must fit, as far as arenas of earlier models are not as large. `need_bytes` is
  // its exact need, for the message. RESOURCE_EXHAUSTED as above.
  absl::Status CheckLoaded(int64_t need_bytes, int64_t arena_bytes, int arenas);

  // Arenas of more than `most` bytes were given back.
  void ReleasedArenas(int64_t most);

 private:
  absl::Status Refusal(int64_t need_bytes, int64_t used_bytes) const;

  const int64_t cap_bytes_;
  const std::function<int64_t()> used_bytes_;
  Mutex mutex_;
  CondVar released_;
  int64_t claimed_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t largest_arena_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace inferd
