#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "config/engine_config.h"
#include "engine/providers/device.h"

namespace inferd {

class ExecutionProvider;

// The devices of a config's providers apart from any model: what they say about themselves, and
// memory that others share with them. Thread-safe.
class DeviceMonitor {
 public:
  // Errors are those of CheckEngineConfig.
  static absl::StatusOr<std::unique_ptr<DeviceMonitor>> Open(const EngineConfig& config);
  ~DeviceMonitor();

  // A line for each device: "cuda: NVIDIA H200, 139 GiB, ..."; empty where all is in host memory.
  std::vector<std::string> Descriptions() const;
  // With the values of now; those that a device does not answer are left out.
  std::vector<DeviceStatistic> Statistics() const;
  // The value of now of one of them; NaN where it is left out.
  double ValueOf(const DeviceStatistic& statistic) const;

  int64_t count() const { return static_cast<int64_t>(providers_.size()); }
  // Device::OpenRegion of the device with that number; INVALID_ARGUMENT where there is none. What
  // is opened must go before this does.
  absl::StatusOr<std::unique_ptr<DeviceRegion>> OpenRegion(int64_t device, absl::string_view handle,
                                                           int64_t bytes) const;

 private:
  explicit DeviceMonitor(std::vector<std::unique_ptr<ExecutionProvider>> providers);

  const std::vector<std::unique_ptr<ExecutionProvider>> providers_;
};

}  // namespace inferd
