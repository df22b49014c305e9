#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <memory>

#include "engine/providers/cuda/cuda_device.h"
#include "engine/providers/cuda/staging.h"
#include "engine/providers/cuda/wait_pacer.h"
#include "engine/providers/device.h"

namespace inferd::cuda {

// An executor's stream with what libraries need beside it. Used by one thread at a time.
class CudaContext : public DeviceContext {
 public:
  static absl::StatusOr<std::unique_ptr<CudaContext>> Make(CudaDevice& device);
  ~CudaContext() override;

  absl::Status CopyToDevice(void* to, const void* from, int64_t bytes) override;
  absl::Status CopyToHost(void* to, const void* from, int64_t bytes) override;
  // INVALID_ARGUMENT where a kernel found an index out of range.
  absl::Status Wait() override;
  absl::StatusOr<std::unique_ptr<DeviceGraph>> Record(
      absl::FunctionRef<absl::Status()> work) override;
  absl::StatusOr<absl::Duration> Time(absl::FunctionRef<absl::Status()> work) override;

  CudaDevice& device() { return device_; }
  cudaStream_t stream() { return stream_; }
  // Where a kernel puts a 1 that finds an index out of range; device memory may write it.
  int* fault() { return reinterpret_cast<int*>(fault_.get()); }
  // Made when it is first asked for, which takes long.
  absl::StatusOr<cudnnHandle_t> Cudnn();

 private:
  explicit CudaContext(CudaDevice& device) : device_(device) {}
  absl::Status Init();
  // Returns when the stream's work is done.
  cudaError_t AwaitStream();
  absl::Status Capture(absl::FunctionRef<absl::Status()> work, cudaGraphExec_t* ready);

  CudaDevice& device_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t done_ = nullptr;  // who waits for it sleeps
  WaitPacer pacer_;
  cudnnHandle_t cudnn_ = nullptr;
  std::shared_ptr<std::byte> fault_;
  std::unique_ptr<UploadRing> uploads_;
  DownloadBuffer downloads_;
};

}  // namespace inferd::cuda
