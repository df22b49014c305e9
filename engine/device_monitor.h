#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "config/engine_config.h"
#include "engine/providers/device.h"

namespace inferd {

class ExecutionProvider;

// What the devices of a config's providers say about themselves, apart from any model. Thread-safe.
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

 private:
  explicit DeviceMonitor(std::vector<std::unique_ptr<ExecutionProvider>> providers);

  const std::vector<std::unique_ptr<ExecutionProvider>> providers_;
};

}  // namespace inferd
