#include "server/rpc/shared_memory_regions.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {

namespace {

absl::Status NotRegistered(absl::string_view name) {
  return absl::NotFoundError(
      absl::StrCat("shared memory region '", name.substr(0, 255), "' is not registered"));
}

}  // namespace

absl::Status SharedMemoryRegions::CheckRoom(absl::string_view name) const {
  if (regions_.contains(name)) {
    return absl::AlreadyExistsError(
        absl::StrCat("shared memory region '", name, "' is registered already"));
  }
  if (static_cast<int64_t>(regions_.size()) < max_regions_) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "shared memory region '", name, "': ", max_regions_, " are registered, the limit"));
}

absl::Status SharedMemoryRegions::Register(absl::string_view name, Opener open) {
  RETURN_IF_ERROR(SharedMemoryRegion::CheckName(name));
  {
    MutexLock lock(&mutex_);
    RETURN_IF_ERROR(CheckRoom(name));
  }
  // Without the lock: it may take a while.
  ASSIGN_OR_RETURN(SharedMemoryHandle region, open());
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(CheckRoom(name));
  if (region->byte_size() > max_bytes_ - bytes_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("shared memory region '", name, "' has ", region->byte_size(),
                     " bytes: ", bytes_, " of at most ", max_bytes_, " are registered"));
  }
  bytes_ += region->byte_size();
  regions_.emplace(name, std::move(region));
  return absl::OkStatus();
}

void SharedMemoryRegions::Unregister(SharedMemoryRegion::Kind kind, absl::string_view name) {
  // Closing may take a while, too: outside of the lock.
  std::vector<SharedMemoryHandle> closed;
  MutexLock lock(&mutex_);
  for (auto it = regions_.begin(); it != regions_.end();) {
    const auto region = it++;
    if (region->second->kind() != kind || (!name.empty() && region->first != name)) continue;
    bytes_ -= region->second->byte_size();
    closed.push_back(std::move(region->second));
    regions_.erase(region);
  }
}

absl::StatusOr<SharedMemoryHandle> SharedMemoryRegions::Find(absl::string_view name) const {
  MutexLock lock(&mutex_);
  const auto it = regions_.find(name);
  if (it != regions_.end()) return it->second;
  return NotRegistered(name);
}

absl::StatusOr<std::vector<SharedMemoryHandle>> SharedMemoryRegions::List(
    SharedMemoryRegion::Kind kind, absl::string_view name) const {
  std::vector<SharedMemoryHandle> listed;
  MutexLock lock(&mutex_);
  for (const auto& [own_name, region] : regions_) {
    if (region->kind() == kind && (name.empty() || own_name == name)) listed.push_back(region);
  }
  if (!name.empty() && listed.empty()) return NotRegistered(name);
  return listed;
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
