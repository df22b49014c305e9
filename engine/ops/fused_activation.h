#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "engine/graph/attributes.h"

namespace inferd {

// The activation that attribute `activation` of FusedConv and FusedGemm names, with the parameters
// in `activation_params` or in `activation_alpha`, `activation_beta` and `activation_gamma`; the
// identity when there is none. INVALID_ARGUMENT for an unknown name.
absl::StatusOr<std::function<double(double)>> ReadFusedActivation(const Attributes& attributes);

}  // namespace inferd
