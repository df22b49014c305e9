#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// The errors of CUDA's libraries as statuses; `what` says what was asked for.
namespace inferd::cuda {

// RESOURCE_EXHAUSTED when memory ran out; UNAVAILABLE when there is no driver or device, or the
// device is lost to this process; INTERNAL otherwise.
absl::Status ToStatus(cudaError_t error, absl::string_view what);
absl::Status ToStatus(cublasStatus_t error, absl::string_view what);
// UNIMPLEMENTED for what cuDNN does not support.
absl::Status ToStatus(cudnnStatus_t error, absl::string_view what);

// Whether every further call of this process will fail as well.
bool IsSticky(cudaError_t error);

// What went wrong in the launch before, if anything.
absl::Status LaunchStatus(absl::string_view what);

}  // namespace inferd::cuda
