#include "server/rpc/device_memory_region.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/device_monitor.h"

namespace inferd {
namespace {

std::string Subject(absl::string_view name) {
  return absl::StrCat("shared memory region '", name, "'");
}

}  // namespace

absl::StatusOr<std::shared_ptr<const DeviceMemoryRegion>> DeviceMemoryRegion::Open(
    const DeviceMonitor& devices, const std::string& name, int64_t device, absl::string_view handle,
    uint64_t byte_size) {
  RETURN_IF_ERROR(CheckName(name));
  if (byte_size == 0 || byte_size > std::numeric_limits<int64_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Subject(name), ": expected a size of 1 to 2^63 - 1, got ", byte_size));
  }
  const auto bytes = static_cast<int64_t>(byte_size);
  absl::StatusOr<std::unique_ptr<DeviceRegion>> memory = devices.OpenRegion(device, handle, bytes);
  if (!memory.ok()) return Annotate(memory.status(), Subject(name));
  return std::shared_ptr<const DeviceMemoryRegion>(
      new DeviceMemoryRegion(name, device, bytes, *std::move(memory)));
}

DeviceMemoryRegion::DeviceMemoryRegion(const std::string& name, int64_t device, int64_t byte_size,
                                       std::unique_ptr<DeviceRegion> memory)
    : SharedMemoryRegion(Kind::kDevice, name, byte_size),
      device_(device),
      memory_(std::move(memory)) {}

DeviceMemoryRegion::~DeviceMemoryRegion() = default;

absl::Status DeviceMemoryRegion::Read(int64_t begin, int64_t count, void* to) const {
  return Named(memory_->Read(begin, count, to));
}

absl::Status DeviceMemoryRegion::Write(int64_t begin, absl::string_view bytes) const {
  return Named(memory_->Write(begin, bytes.data(), static_cast<int64_t>(bytes.size())));
}

absl::Status DeviceMemoryRegion::Named(const absl::Status& status) const {
  return status.ok() ? status : Annotate(status, Subject(name()));
}

}  // namespace inferd
