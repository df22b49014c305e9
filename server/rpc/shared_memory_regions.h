#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/mutex.h"
#include "server/rpc/shared_memory_region.h"

namespace inferd {

using SharedMemoryHandle = std::shared_ptr<const SharedMemoryRegion>;

// The regions that clients have registered, by name; at most so many, with so many bytes together.
// Owned by the daemon. Thread-safe.
class SharedMemoryRegions {
 public:
  SharedMemoryRegions(int64_t max_regions, int64_t max_bytes)
      : max_regions_(max_regions), max_bytes_(max_bytes) {}
  SharedMemoryRegions(const SharedMemoryRegions&) = delete;
  SharedMemoryRegions& operator=(const SharedMemoryRegions&) = delete;

  // ALREADY_EXISTS for a name in use, RESOURCE_EXHAUSTED over a limit, and what
  // SharedMemoryRegion::Open says.
  absl::Status Register(const std::string& name, const std::string& key, uint64_t offset,
                        uint64_t byte_size);
  // Forgets a region, or all for an empty name; an unknown one is forgotten already. Requests that
  // use it keep it.
  void Unregister(absl::string_view name);

  // NOT_FOUND for an unknown name.
  absl::StatusOr<SharedMemoryHandle> Find(absl::string_view name) const;
  // All, in no order.
  std::vector<SharedMemoryHandle> List() const;

  int64_t count() const;
  int64_t bytes() const;

 private:
  const int64_t max_regions_;
  const int64_t max_bytes_;
  mutable Mutex mutex_;
  absl::flat_hash_map<std::string, SharedMemoryHandle> regions_ ABSL_GUARDED_BY(mutex_);
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

// A checked part of a region: where an input comes from or an output goes to. A value type.
struct SharedMemoryRange {
  SharedMemoryHandle region;
  int64_t offset = 0;
  int64_t byte_size = 0;
};

}  // namespace inferd
