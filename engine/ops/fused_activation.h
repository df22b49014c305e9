#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "engine/graph/attributes.h"

namespace inferd {

// The activation that attributes `activation` and `activation_params` of FusedConv and FusedGemm
// name; the identity when there is none. INVALID_ARGUMENT for an unknown name.
absl::StatusOr<std::function<double(double)>> ReadFusedActivation(const Attributes& attributes);

}  // namespace inferd
