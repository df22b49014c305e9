#pragma once

#include <cstdint>
#include <memory>

#include "engine/core/mutex.h"
#include "engine/plan/page_merger.h"

namespace inferd {

// Memory for a model's packed weights. Every run reads them from end to end, so they lie one behind
// the other on huge pages, small ones too: the processor's prefetching stops at the end of a page.
// What a weight leaves goes back to the system when it goes. Owned by a WeightStore; what it gave
// may outlive it. Thread-safe.
class PackedMemory {
 public:
  PackedMemory() = default;
  PackedMemory(const PackedMemory&) = delete;
  PackedMemory& operator=(const PackedMemory&) = delete;

  // `bytes` zeroed bytes, 64-byte aligned; null when there is no memory.
  std::shared_ptr<void> Allocate(int64_t bytes);

  // After a plan was made: begins to move what had to be put on small pages to huge ones.
  void FinishPacking();

 private:
  // Address space that weights are cut from; its huge pages are taken as the weights reach them.
  struct Slab {
    std::shared_ptr<char> memory;
    int64_t used = 0;
    int64_t provided = 0;
  };

  std::shared_ptr<void> Cut(int64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::shared_ptr<void> Whole(int64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Provide(const std::shared_ptr<void>& memory, int64_t bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  PageMerger merger_;
  Mutex mutex_;
  Slab slab_ ABSL_GUARDED_BY(mutex_);
  int64_t first_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // given on small pages for good
  bool slow_ ABSL_GUARDED_BY(mutex_) = false;        // huge pages were slow to come
};

}  // namespace inferd
