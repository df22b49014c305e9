#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/ops/op_registry.h"

namespace inferd {

// The built-in operators and those of shared libraries that implement inferd_custom_op.h; without
// any, the built-in registry itself. Libraries stay loaded until the process ends. A path without a
// slash is taken from the working folder, never from the system's search path.
// INVALID_ARGUMENT naming the library: it cannot be loaded, was built for another version of the
// interface, describes an operator wrongly, or one that exists already.
absl::StatusOr<std::shared_ptr<const OpRegistry>> LoadOpLibraries(
    absl::Span<const std::string> paths);

}  // namespace inferd
