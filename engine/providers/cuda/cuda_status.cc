#include "engine/providers/cuda/cuda_status.h"

#include "absl/strings/str_cat.h"

namespace inferd::cuda {
namespace {

absl::StatusCode CodeOf(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation:
      return absl::StatusCode::kResourceExhausted;
    case cudaErrorInsufficientDriver:
    case cudaErrorNoDevice:
    case cudaErrorInitializationError:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorCompatNotSupportedOnDevice:
    case cudaErrorDevicesUnavailable:
    case cudaErrorSystemNotReady:
    case cudaErrorNoKernelImageForDevice:
      return absl::StatusCode::kUnavailable;
    default:
      return IsSticky(error) ? absl::StatusCode::kUnavailable : absl::StatusCode::kInternal;
  }
}

}  // namespace

bool IsSticky(cudaError_t error) {
  switch (error) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorMpsClientTerminated:
    case cudaErrorContained:
    case cudaErrorContextIsDestroyed:
    case cudaErrorUnknown:
      return true;
    default:
      return false;
  }
}

absl::Status ToStatus(cudaError_t error, absl::string_view what) {
  if (error == cudaSuccess) return absl::OkStatus();
  return absl::Status(CodeOf(error), absl::StrCat(what, ": ", cudaGetErrorString(error), " (",
                                                  cudaGetErrorName(error), ")"));
}

absl::Status ToStatus(cublasStatus_t error, absl::string_view what) {
  if (error == CUBLAS_STATUS_SUCCESS) return absl::OkStatus();
  const absl::StatusCode code =
      error == CUBLAS_STATUS_ALLOC_FAILED    ? absl::StatusCode::kResourceExhausted
      : error == CUBLAS_STATUS_NOT_SUPPORTED ? absl::StatusCode::kUnimplemented
                                             : absl::StatusCode::kInternal;
  return absl::Status(code, absl::StrCat(what, ": cuBLASLt says ", cublasLtGetStatusName(error)));
}

absl::Status ToStatus(cudnnStatus_t error, absl::string_view what) {
  if (error == CUDNN_STATUS_SUCCESS) return absl::OkStatus();
  // The thousands are the category: 3 is what is not supported.
  const bool unsupported = error / 1000 == CUDNN_STATUS_NOT_SUPPORTED / 1000;
  const absl::StatusCode code =
      unsupported ? absl::StatusCode::kUnimplemented : absl::StatusCode::kInternal;
  return absl::Status(code, absl::StrCat(what, ": cuDNN says ", cudnnGetErrorString(error)));
}

absl::Status LaunchStatus(absl::string_view what) { return ToStatus(cudaGetLastError(), what); }

}  // namespace inferd::cuda
