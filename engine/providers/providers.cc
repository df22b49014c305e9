#include "engine/providers/providers.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/providers/cpu/cpu_features.h"
#include "engine/providers/cpu/cpu_provider.h"

namespace inferd {

absl::StatusOr<std::vector<std::unique_ptr<ExecutionProvider>>> MakeProviders(
    const EngineConfig& config) {
  std::vector<std::unique_ptr<ExecutionProvider>> providers;
  for (const std::string& name : config.providers) {
    if (name == "portable") continue;
    if (name == "cpu") {
      providers.push_back(MakeCpuProvider());
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("provider '", name, "' is not in this build; it has: cpu, portable"));
    }
  }
  return providers;
}

bool ComputesIn(Precision precision, const EngineConfig& config) {
  if (precision == Precision::kFloat32) return true;
  const bool cpu =
      std::find(config.providers.begin(), config.providers.end(), "cpu") != config.providers.end();
  return precision == Precision::kBfloat16 && cpu && cpu::ComputesBfloat16();
}

}  // namespace inferd
