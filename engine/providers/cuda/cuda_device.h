#pragma once

#include <cuda_runtime_api.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/providers/cuda/nvml.h"
#include "engine/providers/device.h"

namespace inferd::cuda {

// One NVIDIA GPU, as one model uses it. Its memory comes from a pool of this device's own, counted
// against a cap; statistics are those of all models.
// Thread-safe.
class CudaDevice : public Device {
 public:
  // How many devices answer.
  static int Count();

  // UNAVAILABLE with the reason when there is no driver, no such device or none this build has code
  // for. A cap of 0 is all memory.
  static absl::StatusOr<std::unique_ptr<CudaDevice>> Open(int ordinal, int64_t cap_bytes);
  ~CudaDevice() override;

  absl::string_view name() const override { return name_; }
  absl::StatusOr<std::shared_ptr<void>> Allocate(int64_t bytes) override;
  absl::Status Upload(void* to, const void* from, int64_t bytes) override;
  absl::StatusOr<std::unique_ptr<DeviceContext>> MakeContext() override;
  // `handle` is the bytes of a cudaIpcMemHandle_t.
  absl::StatusOr<std::unique_ptr<DeviceRegion>> OpenRegion(absl::string_view handle,
                                                           int64_t bytes) override;
  DeviceCosts costs() const override;
  bool usable() const override { return !lost_; }
  std::vector<DeviceStatistic> Statistics() const override;

  int ordinal() const { return ordinal_; }
  // "NVIDIA H200, 139 GiB, compute capability 9.0, driver 13.0".
  std::string Description() const;
  int compute_capability() const { return properties_.major * 10 + properties_.minor; }

  // Counts one more recorded graph of the process; false when there are as many as may be.
  bool TakeGraph();
  void GiveGraphBack();

  // Makes this the calling thread's device, on which launches and allocations are done.
  absl::Status MakeCurrent();
  // Remembers that the device is lost when `error` says so.
  absl::Status Check(cudaError_t error, absl::string_view what);

 private:
  CudaDevice(int ordinal, int64_t cap_bytes, const cudaDeviceProp& properties, int driver_version);
  absl::Status MakePool();
  void Free(void* data, int64_t bytes);

  const int ordinal_;
  const std::string name_;
  const int64_t cap_bytes_;
  const cudaDeviceProp properties_;
  const int driver_version_;
  const Nvml nvml_;
  cudaMemPool_t pool_ = nullptr;
  cudaStream_t stream_ = nullptr;  // of allocations and uploads
  std::atomic<int64_t> allocated_bytes_{0};
  std::atomic<bool> lost_{false};
};

}  // namespace inferd::cuda
