#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "config/engine_config.h"
#include "engine/providers/execution_provider.h"

namespace inferd {

// The providers that `config.providers` names, in that order; "portable" names none, since every
// node falls back to the portable kernels. Names other than "cpu" are those of shared libraries
// beside the engine's (provider_library.h). Where one of them has a device and neither "cpu" nor
// "portable" is named, "cpu" comes last: it runs what the device does not. INVALID_ARGUMENT for
// what is no name or not in this build, else what loading the library said, with the name.
absl::StatusOr<std::vector<std::unique_ptr<ExecutionProvider>>> MakeProviders(
    const EngineConfig& config);

// The numbers of the devices that a model with this config is put on: those named, or all; 0 alone
// where there is none. INVALID_ARGUMENT naming a device that there is not.
absl::StatusOr<std::vector<int>> DeviceOrdinals(const EngineConfig& config);

// The first provider that takes `node` as the partition left it: that of its device, or one in host
// memory. Null: the portable kernels run it.
ExecutionProvider* ProviderOf(absl::Span<const std::unique_ptr<ExecutionProvider>> providers,
                              const Graph& graph, const Node& node);

// Whether products can be computed in `precision` with these providers on this machine, and where
// it is not fp32, faster than in that.
bool ComputesIn(Precision precision, const EngineConfig& config);

}  // namespace inferd
