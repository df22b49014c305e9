#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "config/engine_config.h"
#include "engine/providers/execution_provider.h"

namespace inferd {

// The providers that `config.providers` names, in that order; "portable" names none, since every
// node falls back to the portable kernels. INVALID_ARGUMENT for a name this build does not have.
absl::StatusOr<std::vector<std::unique_ptr<ExecutionProvider>>> MakeProviders(
    const EngineConfig& config);

// Whether products can be computed in `precision` with these providers on this machine.
bool ComputesIn(Precision precision, const EngineConfig& config);

}  // namespace inferd
