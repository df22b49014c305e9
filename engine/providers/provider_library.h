#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "config/engine_config.h"
#include "engine/providers/execution_provider.h"

namespace inferd {

// What a shared library of a provider gives the engine. Plain data up to `make`, so that it can be
// read before it is known whether both were built from the same headers.
struct ProviderLibrary {
  const char* interface_id;  // InterfaceId() as the library was compiled
  int (*devices)();          // how many answer
  // For the device EngineConfig::device_ordinal. UNAVAILABLE with the reason where it does not
  // answer.
  absl::StatusOr<std::unique_ptr<ExecutionProvider>> (*make)(const EngineConfig& config);
};

// The function that every such library exports, extern "C".
using ProviderLibraryFunction = const ProviderLibrary* (*)();
inline constexpr char kProviderLibraryFunction[] = "inferd_provider_library";

// Names the engine's headers, compiler and flags: libraries of other ones are refused.
absl::string_view InterfaceId();

// Where the library of provider `name` is looked for: beside the engine's own.
std::string ProviderLibraryPath(absl::string_view name);

// The provider of the library at `path`, which stays loaded. NOT_FOUND when there is no such file;
// FAILED_PRECONDITION when it cannot be loaded, is no provider's or has another interface id; what
// `make` says otherwise.
absl::StatusOr<std::unique_ptr<ExecutionProvider>> LoadProvider(const std::string& path,
                                                                const EngineConfig& config);

// How many devices the library at `path` has. Errors as those of LoadProvider.
absl::StatusOr<int> CountDevices(const std::string& path);

}  // namespace inferd
