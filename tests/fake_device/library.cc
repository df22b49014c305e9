// The fake device as a library that the engine loads by name: `--provider fake`. With
// INFERD_FAKE_DEVICE=half it takes about every other node, so that most values cross; with dies,
// its first work fails and it is lost; with absent, it does not answer. There are as many devices
// as INFERD_FAKE_DEVICES says, of which the first is the one that dies.
#include <algorithm>
#include <cstdlib>
#include <functional>

#include "engine/providers/interface_id.h"
#include "engine/providers/provider_library.h"
#include "tests/support/fake_device.h"

namespace {

bool TakesHalf(const inferd::Graph& graph, const inferd::Node& node) {
  const auto made = std::find_if(node.outputs.begin(), node.outputs.end(),
                                 [](inferd::ValueId id) { return id != inferd::kNoValue; });
  const std::string& name = made == node.outputs.end() ? node.name : graph.value(*made).name;
  return std::hash<std::string>()(name) % 2 == 0;
}

int CountDevices() {
  const char* count = std::getenv("INFERD_FAKE_DEVICES");
  return count == nullptr ? 1 : std::atoi(count);
}

absl::StatusOr<std::unique_ptr<inferd::ExecutionProvider>> Make(
    const inferd::EngineConfig& config) {
  const char* mode = std::getenv("INFERD_FAKE_DEVICE");
  if (mode != nullptr && absl::string_view(mode) == "half") {
    return std::make_unique<inferd::testing::FakeDeviceProvider>(TakesHalf, config.device_ordinal);
  }
  if (mode != nullptr && absl::string_view(mode) == "absent") {
    return absl::UnavailableError("no fake device answers");
  }
  auto provider =
      std::make_unique<inferd::testing::FakeDeviceProvider>(nullptr, config.device_ordinal);
  if (mode != nullptr && absl::string_view(mode) == "dies" && config.device_ordinal == 0) {
    provider->fake().DieNext();
  }
  return provider;
}

constexpr inferd::ProviderLibrary kLibrary = {INFERD_INTERFACE_ID, CountDevices, Make};

}  // namespace

extern "C" const inferd::ProviderLibrary* inferd_provider_library() { return &kLibrary; }
