#include "engine/providers/cuda/cuda_region.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/providers/cuda/cuda_device.h"
#include "engine/providers/cuda/cuda_status.h"

namespace inferd::cuda {
namespace {

// cuMemGetAddressRange of the driver since CUDA 3.2; its result is 0 when all is well. The driver
// is not linked, so that the provider can be loaded where there is none.
using AddressRange = int (*)(uintptr_t* base, size_t* size, uintptr_t address);
constexpr unsigned kAddressRangeVersion = 3020;

absl::StatusOr<AddressRange> FindAddressRange() {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
  RETURN_IF_ERROR(
      ToStatus(cudaGetDriverEntryPointByVersion("cuMemGetAddressRange", &function,
                                                kAddressRangeVersion, cudaEnableDefault, &found),
               "cuMemGetAddressRange"));
  if (function == nullptr || found != cudaDriverEntryPointSuccess) {
    return absl::UnimplementedError("the driver has no cuMemGetAddressRange");
  }
  return reinterpret_cast<AddressRange>(function);
}

}  // namespace

absl::StatusOr<std::unique_ptr<CudaRegion>> CudaRegion::Open(CudaDevice& device,
                                                             absl::string_view handle,
                                                             int64_t bytes) {
  cudaIpcMemHandle_t raw;
  if (handle.size() != sizeof(raw)) {
    return absl::InvalidArgumentError(absl::StrCat("expected a cudaIpcMemHandle_t of ", sizeof(raw),
                                                   " bytes, got ", handle.size()));
  }
  std::memcpy(&raw, handle.data(), sizeof(raw));
  RETURN_IF_ERROR(device.MakeCurrent());
  std::unique_ptr<CudaRegion> region(new CudaRegion(device));
  RETURN_IF_ERROR(region->Map(raw));
  RETURN_IF_ERROR(region->CheckSize(bytes));
  RETURN_IF_ERROR(
      device.Check(cudaStreamCreateWithFlags(&region->stream_, cudaStreamNonBlocking), "a stream"));
  return region;
}

CudaRegion::~CudaRegion() {
  // Errors of a device that is going away help nobody.
  if (!device_.MakeCurrent().ok()) return;
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
  if (data_ != nullptr) cudaIpcCloseMemHandle(data_);
}

absl::Status CudaRegion::Map(const cudaIpcMemHandle_t& handle) {
  void* data = nullptr;
  const cudaError_t error = cudaIpcOpenMemHandle(&data, handle, cudaIpcMemLazyEnablePeerAccess);
  if (error == cudaSuccess) {
    data_ = static_cast<char*>(data);
    return absl::OkStatus();
  }
  const absl::Status status = device_.Check(error, "the handle cannot be opened");
  if (IsSticky(error)) return status;
  // Not to be found by the next launch.
  cudaGetLastError();
  return absl::InvalidArgumentError(status.message());
}

absl::Status CudaRegion::CheckSize(int64_t bytes) const {
  ASSIGN_OR_RETURN(const AddressRange address_range, FindAddressRange());
  const auto begin = reinterpret_cast<uintptr_t>(data_);
  uintptr_t base = 0;
  size_t size = 0;
  if (const int error = address_range(&base, &size, begin); error != 0) {
    return absl::InternalError(
        absl::StrCat("cuMemGetAddressRange: error ", error, " of the driver"));
  }
  const auto there = static_cast<int64_t>(size - (begin - base));
  if (bytes <= there) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the memory behind the handle has ", there, " bytes, expected ", bytes));
}

absl::Status CudaRegion::Read(int64_t begin, int64_t count, void* to) const {
  return Copy(to, data_ + begin, count, cudaMemcpyDeviceToHost);
}

absl::Status CudaRegion::Write(int64_t begin, const void* from, int64_t count) const {
  return Copy(data_ + begin, from, count, cudaMemcpyHostToDevice);
}

absl::Status CudaRegion::Copy(void* to, const void* from, int64_t count,
                              cudaMemcpyKind kind) const {
  RETURN_IF_ERROR(device_.MakeCurrent());
  constexpr absl::string_view kWhat = "a copy of shared memory";
  RETURN_IF_ERROR(device_.Check(cudaMemcpyAsync(to, from, count, kind, stream_), kWhat));
  return device_.Check(cudaStreamSynchronize(stream_), kWhat);
}

}  // namespace inferd::cuda
