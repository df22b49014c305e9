#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/ops/feature_matrix.h"

namespace inferd {

// x times the attribute `coefficients` [targets,columns], transposed, plus `intercepts` [targets]
// where given: scores [rows,targets]. INVALID_ARGUMENT when the lengths do not fit.
absl::StatusOr<std::vector<float>> LinearScores(const Attributes& attributes,
                                                const FeatureMatrix<float>& x, int64_t targets);

}  // namespace inferd
