#include "engine/providers/cuda/cudnn_planner.h"

#include "engine/core/status_macros.h"
#include "engine/providers/cuda/cuda_status.h"

namespace inferd::cuda {

CudnnPlanner::~CudnnPlanner() {
  MutexLock lock(&mutex_);
  if (handle_ != nullptr) cudnnDestroy(handle_);
}

absl::Status CudnnPlanner::Run(absl::FunctionRef<absl::Status(cudnnHandle_t)> plan) {
  MutexLock lock(&mutex_);
  if (handle_ == nullptr) RETURN_IF_ERROR(ToStatus(cudnnCreate(&handle_), "a cuDNN handle"));
  return plan(handle_);
}

}  // namespace inferd::cuda
