#include "engine/device_monitor.h"

#include <iterator>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/providers/providers.h"

namespace inferd {

absl::StatusOr<std::unique_ptr<DeviceMonitor>> DeviceMonitor::Open(const EngineConfig& config) {
  ASSIGN_OR_RETURN(const std::vector<int> ordinals, DeviceOrdinals(config));
  std::vector<std::unique_ptr<ExecutionProvider>> providers;
  for (const int ordinal : ordinals) {
    EngineConfig one = config;
    one.device_ordinal = ordinal;
    ASSIGN_OR_RETURN(auto made, MakeProviders(one));
    for (auto& provider : made) {
      if (provider->device() != nullptr) providers.push_back(std::move(provider));
    }
  }
  return std::unique_ptr<DeviceMonitor>(new DeviceMonitor(std::move(providers)));
}

DeviceMonitor::DeviceMonitor(std::vector<std::unique_ptr<ExecutionProvider>> providers)
    : providers_(std::move(providers)) {}

DeviceMonitor::~DeviceMonitor() = default;

std::vector<std::string> DeviceMonitor::Descriptions() const {
  std::vector<std::string> lines;
  for (const auto& provider : providers_) {
    const absl::string_view name =
        providers_.size() == 1 ? provider->name() : provider->device()->name();
    lines.push_back(absl::StrCat(name, ": ", provider->description()));
  }
  return lines;
}

std::vector<DeviceStatistic> DeviceMonitor::Statistics() const {
  std::vector<DeviceStatistic> all;
  for (const auto& provider : providers_) {
    std::vector<DeviceStatistic> own = provider->device()->Statistics();
    std::move(own.begin(), own.end(), std::back_inserter(all));
  }
  return all;
}

double DeviceMonitor::ValueOf(const DeviceStatistic& statistic) const {
  for (const DeviceStatistic& now : Statistics()) {
    if (now.name == statistic.name && now.labels == statistic.labels) return now.value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

absl::StatusOr<std::unique_ptr<DeviceRegion>> DeviceMonitor::OpenRegion(int64_t device,
                                                                        absl::string_view handle,
                                                                        int64_t bytes) const {
  if (device < 0 || device >= count()) {
    return absl::InvalidArgumentError(
        absl::StrCat("device ", device, ": there are ", count(), ", counted from 0"));
  }
  return providers_[device]->device()->OpenRegion(handle, bytes);
}

}  // namespace inferd
