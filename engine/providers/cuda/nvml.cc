#include "engine/providers/cuda/nvml.h"

#include <dlfcn.h>

#include <memory>
#include <type_traits>
#include <utility>

#include "absl/strings/str_format.h"

namespace inferd::cuda {
namespace {

// As the library's interface has them; its header is not part of the toolkit everywhere.
constexpr int kSuccess = 0;

struct Utilization {
  unsigned gpu;
  unsigned memory;
};
struct Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};

}  // namespace

// The functions that are used, by the names they are exported under.
struct Nvml::Functions {
  int (*init)() = nullptr;
  int (*handle)(const char* bus_id, Handle* gpu) = nullptr;
  int (*uuid)(Handle gpu, char* text, unsigned length) = nullptr;
  int (*utilization)(Handle gpu, Utilization* utilization) = nullptr;
  int (*memory)(Handle gpu, Memory* memory) = nullptr;
  int (*power_usage)(Handle gpu, unsigned* milliwatts) = nullptr;
  int (*power_limit)(Handle gpu, unsigned* milliwatts) = nullptr;
  int (*energy)(Handle gpu, unsigned long long* millijoules) = nullptr;
};

Nvml Nvml::Load(int pci_domain, int pci_bus, int pci_device) {
  Nvml nvml;
  // Stays loaded: opening it is slow, and several models ask.
  void* library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nvml;
  auto functions = std::make_shared<Functions>();
  const auto find = [library](const char* name, auto* function) {
    *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(dlsym(library, name));
    return *function != nullptr;
  };
  const bool complete = find("nvmlInit_v2", &functions->init) &&
                        find("nvmlDeviceGetHandleByPciBusId_v2", &functions->handle) &&
                        find("nvmlDeviceGetUUID", &functions->uuid) &&
                        find("nvmlDeviceGetUtilizationRates", &functions->utilization) &&
                        find("nvmlDeviceGetMemoryInfo", &functions->memory) &&
                        find("nvmlDeviceGetPowerUsage", &functions->power_usage) &&
                        find("nvmlDeviceGetPowerManagementLimit", &functions->power_limit) &&
                        find("nvmlDeviceGetTotalEnergyConsumption", &functions->energy);
  if (!complete || functions->init() != kSuccess) return nvml;
  const std::string bus = absl::StrFormat("%08x:%02x:%02x.0", pci_domain, pci_bus, pci_device);
  char uuid[96] = {};
  if (functions->handle(bus.c_str(), &nvml.gpu_) != kSuccess ||
      functions->uuid(nvml.gpu_, uuid, sizeof(uuid)) != kSuccess) {
    return nvml;
  }
  nvml.uuid_ = uuid;
  nvml.functions_ = std::move(functions);
  return nvml;
}

std::vector<DeviceStatistic> Nvml::Statistics() const {
  std::vector<DeviceStatistic> statistics;
  if (functions_ == nullptr) return statistics;
  const auto add = [&](const char* name, const char* help, double value, bool counter = false) {
    statistics.push_back({name, help, counter, {{"gpu_uuid", uuid_}}, value});
  };
  Utilization utilization = {};
  if (functions_->utilization(gpu_, &utilization) == kSuccess) {
    add("nv_gpu_utilization", "GPU utilization rate [0.0 - 1.0)", utilization.gpu / 100.0);
  }
  Memory memory = {};
  if (functions_->memory(gpu_, &memory) == kSuccess) {
    add("nv_gpu_memory_total_bytes", "GPU total memory, in bytes",
        static_cast<double>(memory.total));
    add("nv_gpu_memory_used_bytes", "GPU used memory, in bytes", static_cast<double>(memory.used));
  }
  unsigned milliwatts = 0;
  if (functions_->power_usage(gpu_, &milliwatts) == kSuccess) {
    add("nv_gpu_power_usage", "GPU power usage in watts", milliwatts / 1000.0);
  }
  if (functions_->power_limit(gpu_, &milliwatts) == kSuccess) {
    add("nv_gpu_power_limit", "GPU power management limit in watts", milliwatts / 1000.0);
  }
  unsigned long long millijoules = 0;
  if (functions_->energy(gpu_, &millijoules) == kSuccess) {
    add("nv_energy_consumption", "GPU energy consumption in joules since the driver was loaded",
        static_cast<double>(millijoules) / 1000.0, true);
  }
  return statistics;
}

}  // namespace inferd::cuda
