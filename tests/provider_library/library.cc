// A provider's library, which the engine loads by name: `--provider fake`. It runs Relu by the
// portable kernel; with INFERD_FAKE_PROVIDER=absent its device does not answer.
#include <cstdlib>

#include "engine/providers/interface_id.h"
#include "engine/providers/provider_library.h"
#include "tests/support/fake_provider.h"

namespace {

absl::StatusOr<std::unique_ptr<inferd::ExecutionProvider>> Make(const inferd::EngineConfig&) {
  const char* mode = std::getenv("INFERD_FAKE_PROVIDER");
  if (mode != nullptr && absl::string_view(mode) == "absent") {
    return absl::UnavailableError("no fake device answers");
  }
  return std::make_unique<inferd::testing::FakeProvider>(
      [](const inferd::Graph&, const inferd::Node& node) { return node.op->name == "Relu"; },
      [](const inferd::Node&) { return inferd::LayoutPreference::kRowMajor; });
}

constexpr inferd::ProviderLibrary kLibrary = {INFERD_INTERFACE_ID, Make};

}  // namespace

extern "C" const inferd::ProviderLibrary* inferd_provider_library() { return &kLibrary; }
