#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/providers/device.h"

namespace inferd::cuda {

class CudaDevice;

// An allocation of another process, mapped by its inter-process handle (CUDA runtime API,
// "cudaIpcOpenMemHandle"). Copies wait for themselves on a stream of their own; what the other
// process has given to its streams is for it to wait for. Thread-safe.
class CudaRegion : public DeviceRegion {
 public:
  // Device::OpenRegion. `device` outlives the region.
  static absl::StatusOr<std::unique_ptr<CudaRegion>> Open(CudaDevice& device,
                                                          absl::string_view handle, int64_t bytes);
  ~CudaRegion() override;

  absl::Status Read(int64_t begin, int64_t count, void* to) const override;
  absl::Status Write(int64_t begin, const void* from, int64_t count) const override;

 private:
  explicit CudaRegion(CudaDevice& device) : device_(device) {}
  absl::Status Map(const cudaIpcMemHandle_t& handle);
  // That so many bytes of the allocation lie behind its address here.
  absl::Status CheckSize(int64_t bytes) const;
  absl::Status Copy(void* to, const void* from, int64_t count, cudaMemcpyKind kind) const;

  CudaDevice& device_;
  char* data_ = nullptr;
  cudaStream_t stream_ = nullptr;
};

}  // namespace inferd::cuda
