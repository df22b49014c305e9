#include "engine/providers/cuda/cuda_device.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/status_macros.h"
#include "engine/providers/cuda/cuda_context.h"
#include "engine/providers/cuda/cuda_region.h"
#include "engine/providers/cuda/cuda_status.h"
#include "engine/providers/cuda/launch/elementwise.h"

namespace inferd::cuda {
namespace {

// What the pool keeps of memory that was given back, for what is made next.
constexpr uint64_t kKeptBytes = uint64_t{256} << 20;

// Each takes some megabytes of the device at most; beyond these, steps are launched one by one.
// Those of plans that are not used go with them.
constexpr int kMostGraphs = 1024;

// Of one GPU in the whole process: every model opens it for itself.
struct Totals {
  std::atomic<int64_t> bytes{0};
  std::atomic<int> graphs{0};
};
constexpr int kMostDevices = 64;
constinit Totals totals[kMostDevices];

std::string VersionText(int version) {
  return absl::StrFormat("%d.%d", version / 1000, version % 1000 / 10);
}

}  // namespace

int CudaDevice::Count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return std::min(count, kMostDevices);
  cudaGetLastError();
  return 0;
}

absl::StatusOr<std::unique_ptr<CudaDevice>> CudaDevice::Open(int ordinal, int64_t cap_bytes) {
  int driver_version = 0;
  RETURN_IF_ERROR(ToStatus(cudaDriverGetVersion(&driver_version), "no NVIDIA driver"));
  if (driver_version == 0) {
    return absl::UnavailableError("no NVIDIA driver: libcuda.so.1 cannot be loaded");
  }
  int count = 0;
  const std::string driver = absl::StrCat("the driver (CUDA ", VersionText(driver_version), ")");
  RETURN_IF_ERROR(ToStatus(cudaGetDeviceCount(&count), absl::StrCat(driver, " has no device")));
  count = std::min(count, kMostDevices);
  if (ordinal >= count) {
    return absl::UnavailableError(
        absl::StrCat(driver, " has ", count, " devices, expected one with number ", ordinal));
  }
  cudaDeviceProp properties;
  RETURN_IF_ERROR(ToStatus(cudaGetDeviceProperties(&properties, ordinal), "device properties"));
  std::unique_ptr<CudaDevice> device(
      new CudaDevice(ordinal, cap_bytes, properties, driver_version));
  RETURN_IF_ERROR(device->MakeCurrent());
  RETURN_IF_ERROR(ToStatus(cudaFree(nullptr), device->Description()));
  RETURN_IF_ERROR(ToStatus(static_cast<cudaError_t>(CheckCode()),
                           absl::StrCat("no code for ", device->Description())));
  RETURN_IF_ERROR(device->MakePool());
  return device;
}

CudaDevice::CudaDevice(int ordinal, int64_t cap_bytes, const cudaDeviceProp& properties,
                       int driver_version)
    : ordinal_(ordinal),
      name_(absl::StrCat("cuda:", ordinal)),
      cap_bytes_(cap_bytes),
      properties_(properties),
      driver_version_(driver_version),
      nvml_(Nvml::Load(properties.pciDomainID, properties.pciBusID, properties.pciDeviceID)) {}

CudaDevice::~CudaDevice() {
  // Errors of a device that is going away help nobody.
  if (!MakeCurrent().ok()) return;
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
  if (pool_ != nullptr) cudaMemPoolDestroy(pool_);
}

absl::Status CudaDevice::MakePool() {
  cudaMemPoolProps props = {};
  props.allocType = cudaMemAllocationTypePinned;
  props.handleTypes = cudaMemHandleTypeNone;
  props.location.type = cudaMemLocationTypeDevice;
  props.location.id = ordinal_;
  RETURN_IF_ERROR(Check(cudaMemPoolCreate(&pool_, &props), "a memory pool"));
  uint64_t kept = kKeptBytes;
  RETURN_IF_ERROR(Check(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &kept),
                        "a memory pool"));
  return Check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream");
}

absl::Status CudaDevice::MakeCurrent() { return Check(cudaSetDevice(ordinal_), "cudaSetDevice"); }

absl::Status CudaDevice::Check(cudaError_t error, absl::string_view what) {
  if (error == cudaSuccess) return absl::OkStatus();
  if (IsSticky(error)) lost_ = true;
  return ToStatus(error, absl::StrCat(name_, ": ", what));
}

absl::StatusOr<std::shared_ptr<void>> CudaDevice::Allocate(int64_t bytes) {
  RETURN_IF_ERROR(MakeCurrent());
  const int64_t before = allocated_bytes_.fetch_add(bytes);
  if (cap_bytes_ > 0 && before + bytes > cap_bytes_) {
    allocated_bytes_ -= bytes;
    return absl::ResourceExhaustedError(absl::StrCat(name_, ": ", bytes, " bytes more than the ",
                                                     before, " in use would be over the limit of ",
                                                     cap_bytes_));
  }
  void* data = nullptr;
  absl::Status status = Check(cudaMallocFromPoolAsync(&data, bytes, pool_, stream_),
                              absl::StrCat("memory for ", bytes, " bytes"));
  // Other streams use it at once.
  if (status.ok()) status = Check(cudaStreamSynchronize(stream_), "memory");
  if (!status.ok()) {
    // An error that is not sticky must not be found by the next launch.
    cudaGetLastError();
    allocated_bytes_ -= bytes;
    return status;
  }
  totals[ordinal_].bytes += bytes;
  return std::shared_ptr<void>(data, [this, bytes](void* memory) { Free(memory, bytes); });
}

// Contexts have waited for their work when their memory is given back.
void CudaDevice::Free(void* data, int64_t bytes) {
  allocated_bytes_ -= bytes;
  totals[ordinal_].bytes -= bytes;
  if (MakeCurrent().ok() && cudaFreeAsync(data, stream_) == cudaSuccess) {
    cudaStreamSynchronize(stream_);
  }
}

absl::Status CudaDevice::Upload(void* to, const void* from, int64_t bytes) {
  RETURN_IF_ERROR(MakeCurrent());
  RETURN_IF_ERROR(
      Check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "an upload"));
  return Check(cudaStreamSynchronize(stream_), "an upload");
}

absl::StatusOr<std::unique_ptr<DeviceContext>> CudaDevice::MakeContext() {
  ASSIGN_OR_RETURN(std::unique_ptr<CudaContext> context, CudaContext::Make(*this));
  return std::unique_ptr<DeviceContext>(std::move(context));
}

absl::StatusOr<std::unique_ptr<DeviceRegion>> CudaDevice::OpenRegion(absl::string_view handle,
                                                                     int64_t bytes) {
  ASSIGN_OR_RETURN(std::unique_ptr<CudaRegion> region, CudaRegion::Open(*this, handle, bytes));
  return std::unique_ptr<DeviceRegion>(std::move(region));
}

bool CudaDevice::TakeGraph() {
  if (++totals[ordinal_].graphs <= kMostGraphs) return true;
  GiveGraphBack();
  return false;
}

void CudaDevice::GiveGraphBack() { --totals[ordinal_].graphs; }

// By the data sheets of the cards from A100 on, a third of what they say.
DeviceCosts CudaDevice::costs() const {
  DeviceCosts costs;
  costs.copy_seconds = 8e-6;
  costs.copy_bytes_per_second = 10e9;
  costs.step_seconds = 3e-6;
  costs.bytes_per_second = compute_capability() >= 90 ? 1.5e12 : 0.6e12;
  costs.flops_per_second = compute_capability() >= 90 ? 20e12 : 6e12;
  return costs;
}

std::string CudaDevice::Description() const {
  return absl::StrFormat("%s, %d GiB, compute capability %d.%d, driver of CUDA %s",
                         properties_.name, properties_.totalGlobalMem >> 30, properties_.major,
                         properties_.minor, VersionText(driver_version_));
}

std::vector<DeviceStatistic> CudaDevice::Statistics() const {
  std::vector<DeviceStatistic> statistics = nvml_.Statistics();
  statistics.push_back({"inferd_device_allocated_bytes",
                        "Memory of the device that models use",
                        false,
                        {{"device", name_}},
                        static_cast<double>(totals[ordinal_].bytes.load())});
  statistics.push_back({"inferd_device_graphs",
                        "Recorded graphs of the device",
                        false,
                        {{"device", name_}},
                        static_cast<double>(totals[ordinal_].graphs.load())});
  return statistics;
}

}  // namespace inferd::cuda
