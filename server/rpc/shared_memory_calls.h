#pragma once

#include "absl/status/status.h"
#include "proto/inference.pb.h"
#include "server/rpc/shared_memory_regions.h"

namespace inferd {

// The shared memory group of calls. `regions` is null where the server was not started with
// --shared-memory: UNIMPLEMENTED.

// One region or, for an empty name, all; NOT_FOUND for an unknown name.
absl::Status ShowSharedMemory(const SharedMemoryRegions* regions,
                              const inference::SystemSharedMemoryStatusRequest& request,
                              inference::SystemSharedMemoryStatusResponse* response);
absl::Status RegisterSharedMemory(SharedMemoryRegions* regions,
                                  const inference::SystemSharedMemoryRegisterRequest& request);
absl::Status UnregisterSharedMemory(SharedMemoryRegions* regions,
                                    const inference::SystemSharedMemoryUnregisterRequest& request);

// The same for memory of devices; registering is UNIMPLEMENTED where there is no device. Where
// shared memory is off none is listed and none found to forget, since clients ask without need.
absl::Status ShowSharedMemory(const SharedMemoryRegions* regions,
                              const inference::CudaSharedMemoryStatusRequest& request,
                              inference::CudaSharedMemoryStatusResponse* response);
absl::Status RegisterSharedMemory(SharedMemoryRegions* regions,
                                  const inference::CudaSharedMemoryRegisterRequest& request);
absl::Status UnregisterSharedMemory(SharedMemoryRegions* regions,
                                    const inference::CudaSharedMemoryUnregisterRequest& request);

}  // namespace inferd
