#include "server/rpc/shared_memory_calls.h"

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

absl::Status CheckEnabled(const SharedMemoryRegions* regions) {
  if (regions != nullptr) return absl::OkStatus();
  return absl::UnimplementedError(
      "shared memory is off: the server was started without --shared-memory");
}

void Show(const SharedMemoryRegion& region, inference::SystemSharedMemoryStatusResponse* response) {
  auto& status = (*response->mutable_regions())[region.name()];
  status.set_name(region.name());
  status.set_key(region.key());
  status.set_offset(static_cast<uint64_t>(region.offset()));
  status.set_byte_size(static_cast<uint64_t>(region.byte_size()));
}

}  // namespace

absl::Status ShowSharedMemory(const SharedMemoryRegions* regions,
                              const inference::SystemSharedMemoryStatusRequest& request,
                              inference::SystemSharedMemoryStatusResponse* response) {
  RETURN_IF_ERROR(CheckEnabled(regions));
  if (!request.name().empty()) {
    ASSIGN_OR_RETURN(const SharedMemoryHandle region, regions->Find(request.name()));
    Show(*region, response);
    return absl::OkStatus();
  }
  for (const SharedMemoryHandle& region : regions->List()) Show(*region, response);
  return absl::OkStatus();
}

absl::Status RegisterSharedMemory(SharedMemoryRegions* regions,
                                  const inference::SystemSharedMemoryRegisterRequest& request) {
  RETURN_IF_ERROR(CheckEnabled(regions));
  return regions->Register(request.name(), request.key(), request.offset(), request.byte_size());
}

absl::Status UnregisterSharedMemory(SharedMemoryRegions* regions,
                                    const inference::SystemSharedMemoryUnregisterRequest& request) {
  RETURN_IF_ERROR(CheckEnabled(regions));
  regions->Unregister(request.name());
  return absl::OkStatus();
}

absl::Status RegisterCudaSharedMemory(const inference::CudaSharedMemoryRegisterRequest& request) {
  return absl::UnimplementedError(absl::StrCat("CUDA shared memory region '",
                                               request.name().substr(0, 255),
                                               "': the server has no CUDA shared memory"));
}

}  // namespace inferd
