#pragma once

#include <cstdint>
#include <random>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/engine.h"

namespace inferd {

// One row of an input for the engine's own tests of a model: normal floats, integers and bools of 0
// and 1, empty strings. Dimensions that are not fixed are 1 for dimension 0, else `free_dim`.
absl::StatusOr<Tensor> RandomRow(const TensorInfo& info, int64_t free_dim, std::mt19937* random);

}  // namespace inferd
