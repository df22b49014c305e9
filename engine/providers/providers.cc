#include "engine/providers/providers.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"
#include "engine/providers/provider_library.h"
#ifdef INFERD_HAS_CPU
#include "engine/providers/cpu/cpu_provider.h"
#include "engine/providers/cpu/vector_rates.h"
#endif

namespace inferd {
namespace {

bool Names(const EngineConfig& config, absl::string_view name) {
  return std::find(config.providers.begin(), config.providers.end(), name) !=
         config.providers.end();
}

// Whether one of the names is that of a library.
bool HasDevice(const EngineConfig& config) {
  return std::any_of(config.providers.begin(), config.providers.end(),
                     [](const std::string& name) { return name != "cpu" && name != "portable"; });
}

// It becomes part of a file's name.
bool IsName(absl::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
  });
}

#ifdef INFERD_HAS_CPU
constexpr bool kHasCpu = true;
std::unique_ptr<ExecutionProvider> MakeCpu() { return MakeCpuProvider(); }
bool CpuGainsByBfloat16() { return cpu::GainsByBfloat16(); }
#else
constexpr bool kHasCpu = false;
std::unique_ptr<ExecutionProvider> MakeCpu() { return nullptr; }
bool CpuGainsByBfloat16() { return false; }
#endif

absl::StatusOr<std::unique_ptr<ExecutionProvider>> MakeProvider(const std::string& name,
                                                                const EngineConfig& config) {
  if (name == "cpu" && kHasCpu) return MakeCpu();
  if (!IsName(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("provider '", name, "': expected a name of a-z, 0-9 and _"));
  }
  auto provider = LoadProvider(ProviderLibraryPath(name), config);
  if (provider.ok()) return provider;
  const std::string where = absl::StrCat("provider '", name, "'");
  if (absl::IsNotFound(provider.status())) {
    return absl::InvalidArgumentError(absl::StrCat(where, " is not in this build, which has ",
                                                   kHasCpu ? "cpu and " : "",
                                                   "portable: ", provider.status().message()));
  }
  return Annotate(provider.status(), where);
}

}  // namespace

absl::StatusOr<std::vector<std::unique_ptr<ExecutionProvider>>> MakeProviders(
    const EngineConfig& config) {
  std::vector<std::unique_ptr<ExecutionProvider>> providers;
  bool device = false;
  for (const std::string& name : config.providers) {
    if (name == "portable") continue;
    ASSIGN_OR_RETURN(std::unique_ptr<ExecutionProvider> provider, MakeProvider(name, config));
    device = device || provider->device() != nullptr;
    providers.push_back(std::move(provider));
  }
  if (device && kHasCpu && !Names(config, "cpu") && !Names(config, "portable")) {
    providers.push_back(MakeCpu());
  }
  return providers;
}

absl::StatusOr<std::vector<int>> DeviceOrdinals(const EngineConfig& config) {
  int devices = 0;
  for (const std::string& name : config.providers) {
    if (name == "cpu" || name == "portable" || !IsName(name)) continue;
    // What cannot be loaded is an error when the provider is made.
    devices = std::max(devices, CountDevices(ProviderLibraryPath(name)).value_or(0));
  }
  for (const int ordinal : config.device_ordinals) {
    if (ordinal < 0 || ordinal >= std::max(devices, 1)) {
      return absl::InvalidArgumentError(absl::StrCat("device ", ordinal, ": there are ", devices,
                                                     " devices of ",
                                                     absl::StrJoin(config.providers, ", ")));
    }
  }
  if (config.needs_device && devices == 0) {
    return absl::InvalidArgumentError(absl::StrCat("a device is asked for, but there is none of ",
                                                   absl::StrJoin(config.providers, ", ")));
  }
  std::vector<int> ordinals = config.device_ordinals;
  for (int i = 0; config.device_ordinals.empty() && i < std::max(devices, 1); ++i) {
    ordinals.push_back(i);
  }
  return ordinals;
}

ExecutionProvider* ProviderOf(absl::Span<const std::unique_ptr<ExecutionProvider>> providers,
                              const Graph& graph, const Node& node) {
  if (node.device_provider >= 0) return providers[node.device_provider].get();
  for (const auto& provider : providers) {
    if (provider->device() == nullptr && provider->Supports(graph, node)) return provider.get();
  }
  return nullptr;
}

bool ComputesIn(Precision precision, const EngineConfig& config) {
  if (precision == Precision::kFloat32) return true;
  if (precision == Precision::kFloat16) return HasDevice(config);
  if (precision != Precision::kBfloat16) return false;
  // Devices do; who has none named computes on the processor.
  return HasDevice(config) || (Names(config, "cpu") && CpuGainsByBfloat16());
}

}  // namespace inferd
