#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/providers/device.h"

namespace inferd::cuda {

// The driver's management library, for one GPU: what Triton's nv_gpu_* metrics say. Loaded while
// running, since it comes with the driver; without it there are no statistics. Immutable;
// Statistics may be called by many threads at once.
class Nvml {
 public:
  static Nvml Load(int pci_domain, int pci_bus, int pci_device);

  std::vector<DeviceStatistic> Statistics() const;

 private:
  struct Functions;
  using Handle = struct nvmlDevice_st*;

  std::shared_ptr<const Functions> functions_;  // null when the library or the GPU is not there
  Handle gpu_ = nullptr;
  std::string uuid_;
};

}  // namespace inferd::cuda
