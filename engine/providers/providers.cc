#include "engine/providers/providers.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/providers/cpu/cpu_provider.h"
#include "engine/providers/cpu/vector_rates.h"
#include "engine/providers/provider_library.h"

namespace inferd {
namespace {

// It becomes part of a file's name.
bool IsName(absl::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
  });
}

absl::StatusOr<std::unique_ptr<ExecutionProvider>> MakeProvider(const std::string& name,
                                                                const EngineConfig& config) {
  if (name == "cpu") return MakeCpuProvider();
  if (!IsName(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("provider '", name, "': expected a name of a-z, 0-9 and _"));
  }
  auto provider = LoadProvider(ProviderLibraryPath(name), config);
  if (provider.ok()) return provider;
  const std::string where = absl::StrCat("provider '", name, "'");
  if (absl::IsNotFound(provider.status())) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, " is not in this build; it has: cpu, portable (", provider.status().message(), ")"));
  }
  return Annotate(provider.status(), where);
}

}  // namespace

absl::StatusOr<std::vector<std::unique_ptr<ExecutionProvider>>> MakeProviders(
    const EngineConfig& config) {
  std::vector<std::unique_ptr<ExecutionProvider>> providers;
  for (const std::string& name : config.providers) {
    if (name == "portable") continue;
    ASSIGN_OR_RETURN(std::unique_ptr<ExecutionProvider> provider, MakeProvider(name, config));
    providers.push_back(std::move(provider));
  }
  return providers;
}

bool ComputesIn(Precision precision, const EngineConfig& config) {
  if (precision == Precision::kFloat32) return true;
  const bool cpu =
      std::find(config.providers.begin(), config.providers.end(), "cpu") != config.providers.end();
  return precision == Precision::kBfloat16 && cpu && cpu::GainsByBfloat16();
}

}  // namespace inferd
