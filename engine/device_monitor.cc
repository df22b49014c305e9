#include "engine/device_monitor.h"

#include <iterator>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/providers/providers.h"

namespace inferd {

absl::StatusOr<std::unique_ptr<DeviceMonitor>> DeviceMonitor::Open(const EngineConfig& config) {
  ASSIGN_OR_RETURN(auto providers, MakeProviders(config));
  return std::unique_ptr<DeviceMonitor>(new DeviceMonitor(std::move(providers)));
}

DeviceMonitor::DeviceMonitor(std::vector<std::unique_ptr<ExecutionProvider>> providers)
    : providers_(std::move(providers)) {}

DeviceMonitor::~DeviceMonitor() = default;

std::vector<std::string> DeviceMonitor::Descriptions() const {
  std::vector<std::string> lines;
  for (const auto& provider : providers_) {
    if (provider->device() == nullptr) continue;
    lines.push_back(absl::StrCat(provider->name(), ": ", provider->description()));
  }
  return lines;
}

std::vector<DeviceStatistic> DeviceMonitor::Statistics() const {
  std::vector<DeviceStatistic> all;
  for (const auto& provider : providers_) {
    if (provider->device() == nullptr) continue;
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

}  // namespace inferd
