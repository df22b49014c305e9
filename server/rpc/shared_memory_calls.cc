#include "server/rpc/shared_memory_calls.h"

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "server/rpc/device_memory_region.h"
#include "server/rpc/system_region.h"

namespace inferd {
namespace {

using Kind = SharedMemoryRegion::Kind;

absl::Status CheckEnabled(const SharedMemoryRegions* regions) {
  if (regions != nullptr) return absl::OkStatus();
  return absl::UnimplementedError(
      "shared memory is off: the server was started without --shared-memory");
}

}  // namespace

absl::Status ShowSharedMemory(const SharedMemoryRegions* regions,
                              const inference::SystemSharedMemoryStatusRequest& request,
                              inference::SystemSharedMemoryStatusResponse* response) {
  RETURN_IF_ERROR(CheckEnabled(regions));
  ASSIGN_OR_RETURN(const auto listed, regions->List(Kind::kSystem, request.name()));
  for (const SharedMemoryHandle& handle : listed) {
    const auto& region = static_cast<const SystemRegion&>(*handle);
    auto& status = (*response->mutable_regions())[region.name()];
    status.set_name(region.name());
    status.set_key(region.key());
    status.set_offset(static_cast<uint64_t>(region.offset()));
    status.set_byte_size(static_cast<uint64_t>(region.byte_size()));
  }
  return absl::OkStatus();
}

absl::Status RegisterSharedMemory(SharedMemoryRegions* regions,
                                  const inference::SystemSharedMemoryRegisterRequest& request) {
  RETURN_IF_ERROR(CheckEnabled(regions));
  return regions->Register(request.name(), [&] {
    return SystemRegion::Open(request.name(), request.key(), request.offset(), request.byte_size());
  });
}

absl::Status UnregisterSharedMemory(SharedMemoryRegions* regions,
                                    const inference::SystemSharedMemoryUnregisterRequest& request) {
  RETURN_IF_ERROR(CheckEnabled(regions));
  regions->Unregister(Kind::kSystem, request.name());
  return absl::OkStatus();
}

absl::Status ShowSharedMemory(const SharedMemoryRegions* regions,
                              const inference::CudaSharedMemoryStatusRequest& request,
                              inference::CudaSharedMemoryStatusResponse* response) {
  if (regions == nullptr && request.name().empty()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckEnabled(regions));
  ASSIGN_OR_RETURN(const auto listed, regions->List(Kind::kDevice, request.name()));
  for (const SharedMemoryHandle& handle : listed) {
    const auto& region = static_cast<const DeviceMemoryRegion&>(*handle);
    auto& status = (*response->mutable_regions())[region.name()];
    status.set_name(region.name());
    status.set_device_id(static_cast<uint64_t>(region.device()));
    status.set_byte_size(static_cast<uint64_t>(region.byte_size()));
  }
  return absl::OkStatus();
}

absl::Status RegisterSharedMemory(SharedMemoryRegions* regions,
                                  const inference::CudaSharedMemoryRegisterRequest& request) {
  RETURN_IF_ERROR(CheckEnabled(regions));
  const DeviceMonitor* devices = regions->devices();
  if (devices == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat("shared memory region '", request.name().substr(0, 255),
                     "': the server runs without a device, expected one such as --provider cuda"));
  }
  return regions->Register(request.name(), [&] {
    return DeviceMemoryRegion::Open(*devices, request.name(), request.device_id(),
                                    request.raw_handle(), request.byte_size());
  });
}

absl::Status UnregisterSharedMemory(SharedMemoryRegions* regions,
                                    const inference::CudaSharedMemoryUnregisterRequest& request) {
  if (regions != nullptr) regions->Unregister(Kind::kDevice, request.name());
  return absl::OkStatus();
}

}  // namespace inferd
