#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/mutex.h"
#include "server/rpc/shared_memory_region.h"

namespace inferd {

class DeviceMonitor;

using SharedMemoryHandle = std::shared_ptr<const SharedMemoryRegion>;

// The regions that clients have registered, by name; at most so many, with so many bytes together.
// Owned by the daemon. Thread-safe.
class SharedMemoryRegions {
 public:
  SharedMemoryRegions(int64_t max_regions, int64_t max_bytes)
      : max_regions_(max_regions), max_bytes_(max_bytes) {}
  SharedMemoryRegions(const SharedMemoryRegions&) = delete;
  SharedMemoryRegions& operator=(const SharedMemoryRegions&) = delete;

  // Whose memory may be registered, too; before the first call. They outlive the regions.
  void UseDevices(const DeviceMonitor* devices) { devices_ = devices; }
  const DeviceMonitor* devices() const { return devices_; }  // null without any

  using Opener = absl::FunctionRef<absl::StatusOr<SharedMemoryHandle>()>;
  // Adds what `open` opens, which has that name; it is not asked when there is no room for another.
  // ALREADY_EXISTS for a name in use, RESOURCE_EXHAUSTED over a limit, and what `open` says.
  absl::Status Register(absl::string_view name, Opener open);
  // Forgets a region of that kind, or all of them for an empty name; an unknown one is forgotten
  // already. Requests that use it keep it.
  void Unregister(SharedMemoryRegion::Kind kind, absl::string_view name);

  // NOT_FOUND for an unknown name.
  absl::StatusOr<SharedMemoryHandle> Find(absl::string_view name) const;
  // All of a kind, in no order; for a name that one, NOT_FOUND where there is none of the kind.
  absl::StatusOr<std::vector<SharedMemoryHandle>> List(SharedMemoryRegion::Kind kind,
                                                       absl::string_view name = "") const;

  int64_t count() const;
  int64_t bytes() const;

 private:
  // That another region of that name may be added.
  absl::Status CheckRoom(absl::string_view name) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int64_t max_regions_;
  const int64_t max_bytes_;
  const DeviceMonitor* devices_ = nullptr;
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
