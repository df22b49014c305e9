#include "server/rpc/shared_memory_regions.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {

absl::Status SharedMemoryRegions::Register(const std::string& name, const std::string& key,
                                           uint64_t offset, uint64_t byte_size) {
  ASSIGN_OR_RETURN(SharedMemoryHandle region,
                   SharedMemoryRegion::Open(name, key, offset, byte_size));
  MutexLock lock(&mutex_);
  if (regions_.contains(name)) {
    return absl::AlreadyExistsError(
        absl::StrCat("shared memory region '", name, "' is registered already"));
  }
  if (static_cast<int64_t>(regions_.size()) >= max_regions_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "shared memory region '", name, "': ", max_regions_, " are registered, the limit"));
  }
  if (region->byte_size() > max_bytes_ - bytes_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("shared memory region '", name, "' has ", region->byte_size(),
                     " bytes: ", bytes_, " of at most ", max_bytes_, " are registered"));
  }
  bytes_ += region->byte_size();
  regions_.emplace(name, std::move(region));
  return absl::OkStatus();
}

void SharedMemoryRegions::Unregister(absl::string_view name) {
  MutexLock lock(&mutex_);
  if (name.empty()) {
    regions_.clear();
    bytes_ = 0;
    return;
  }
  const auto it = regions_.find(name);
  if (it == regions_.end()) return;
  bytes_ -= it->second->byte_size();
  regions_.erase(it);
}

absl::StatusOr<SharedMemoryHandle> SharedMemoryRegions::Find(absl::string_view name) const {
  MutexLock lock(&mutex_);
  const auto it = regions_.find(name);
  if (it != regions_.end()) return it->second;
  return absl::NotFoundError(
      absl::StrCat("shared memory region '", name.substr(0, 255), "' is not registered"));
}

std::vector<SharedMemoryHandle> SharedMemoryRegions::List() const {
  MutexLock lock(&mutex_);
  std::vector<SharedMemoryHandle> regions;
  for (const auto& [name, region] : regions_) regions.push_back(region);
  return regions;
}

int64_t SharedMemoryRegions::count() const {
  MutexLock lock(&mutex_);
  return static_cast<int64_t>(regions_.size());
}

int64_t SharedMemoryRegions::bytes() const {
  MutexLock lock(&mutex_);
  return bytes_;
}

}  // namespace inferd
