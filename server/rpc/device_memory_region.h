#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/rpc/shared_memory_region.h"

namespace inferd {

class DeviceMonitor;
class DeviceRegion;

// Memory of a device that the client made, such as CUDA's. It is copied through the host.
class DeviceMemoryRegion : public SharedMemoryRegion {
 public:
  // `handle` is what the device's own interface gives out. INVALID_ARGUMENT for a bad name, device,
  // handle or size. `devices` outlives the region.
  static absl::StatusOr<std::shared_ptr<const DeviceMemoryRegion>> Open(
      const DeviceMonitor& devices, const std::string& name, int64_t device,
      absl::string_view handle, uint64_t byte_size);
  ~DeviceMemoryRegion() override;

  int64_t device() const { return device_; }

  // What the device says, which may be gone.
  absl::Status Read(int64_t begin, int64_t count, void* to) const override;
  absl::Status Write(int64_t begin, absl::string_view bytes) const override;

 private:
  DeviceMemoryRegion(const std::string& name, int64_t device, int64_t byte_size,
                     std::unique_ptr<DeviceRegion> memory);
  absl::Status Named(const absl::Status& status) const;

  const int64_t device_;
  const std::unique_ptr<DeviceRegion> memory_;
};

}  // namespace inferd
