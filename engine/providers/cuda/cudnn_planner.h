#pragma once

#include <cudnn.h>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "engine/core/mutex.h"

namespace inferd::cuda {

// The cuDNN handle that plans are made with, one at a time. Thread-safe.
class CudnnPlanner {
 public:
  CudnnPlanner() = default;
  ~CudnnPlanner();
  CudnnPlanner(const CudnnPlanner&) = delete;
  CudnnPlanner& operator=(const CudnnPlanner&) = delete;

  // Gives `plan` the handle, which is made when it is first asked for.
  absl::Status Run(absl::FunctionRef<absl::Status(cudnnHandle_t)> plan);

 private:
  Mutex mutex_;
  cudnnHandle_t handle_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace inferd::cuda
