// The fake device as a library that the engine loads by name: `--provider fake`. With
// INFERD_FAKE_DEVICE=half it takes about every other node, so that most values cross.
#include <cstdlib>
#include <functional>

#include "engine/providers/interface_id.h"
#include "engine/providers/provider_library.h"
#include "tests/support/fake_device.h"

namespace {

bool TakesHalf(const inferd::Graph& graph, const inferd::Node& node) {
  const std::string& name = node.outputs.empty() ? node.name : graph.value(node.outputs[0]).name;
  return std::hash<std::string>()(name) % 2 == 0;
}

absl::StatusOr<std::unique_ptr<inferd::ExecutionProvider>> Make(const inferd::EngineConfig&) {
  const char* mode = std::getenv("INFERD_FAKE_DEVICE");
  if (mode != nullptr && absl::string_view(mode) == "half") {
    return std::make_unique<inferd::testing::FakeDeviceProvider>(TakesHalf);
  }
  if (mode != nullptr && absl::string_view(mode) == "absent") {
    return absl::UnavailableError("no fake device answers");
  }
  return std::make_unique<inferd::testing::FakeDeviceProvider>();
}

constexpr inferd::ProviderLibrary kLibrary = {INFERD_INTERFACE_ID, Make};

}  // namespace

extern "C" const inferd::ProviderLibrary* inferd_provider_library() { return &kLibrary; }
