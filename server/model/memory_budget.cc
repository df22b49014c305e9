#include "server/model/memory_budget.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

// Graph, plans and kernels of even a small model.
constexpr int64_t kLeastBytes = 4 << 20;
constexpr int64_t kArenaShare = 8;

}  // namespace

MemoryBudget::Claim::~Claim() {
  {
    MutexLock lock(&budget_.mutex_);
    budget_.claimed_bytes_ -= bytes_;
  }
  budget_.released_.SignalAll();
}

int64_t MemoryBudget::Estimate(int64_t file_bytes) {
  return file_bytes + file_bytes / kArenaShare + kLeastBytes;
}

absl::StatusOr<std::unique_ptr<MemoryBudget::Claim>> MemoryBudget::TakeClaim(int64_t need_bytes) {
  MutexLock lock(&mutex_);
  while (true) {
    const int64_t used = used_bytes_();
    if (need_bytes <= cap_bytes_ - used - claimed_bytes_) break;
    if (claimed_bytes_ == 0) return Refusal(need_bytes, used);
    released_.Wait(&mutex_);
  }
  claimed_bytes_ += need_bytes;
  return std::make_unique<Claim>(this, need_bytes);
}

absl::Status MemoryBudget::CheckLoaded(int64_t need_bytes, int64_t arena_bytes, int arenas) {
  MutexLock lock(&mutex_);
  const int64_t growth = std::max<int64_t>(0, arena_bytes - largest_arena_bytes_) * arenas;
  const int64_t used = used_bytes_();
  if (growth > cap_bytes_ - used) return Refusal(need_bytes, used);
  largest_arena_bytes_ = std::max(largest_arena_bytes_, arena_bytes);
  return absl::OkStatus();
}

void MemoryBudget::ReleasedArenas(int64_t most) {
  MutexLock lock(&mutex_);
  largest_arena_bytes_ = std::min(largest_arena_bytes_, most);
}

absl::Status MemoryBudget::Refusal(int64_t need_bytes, int64_t used_bytes) const {
  return absl::ResourceExhaustedError(absl::StrCat(
      "not enough memory: the model needs ", need_bytes, " bytes, the process holds ", used_bytes,
      " of ", cap_bytes_, " (--memory-limit-bytes); unload a model or raise the limit"));
}

}  // namespace inferd
