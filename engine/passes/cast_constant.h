#pragma once

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"

namespace inferd {

// The constant with its elements converted to `type`; a large one only when it is read.
absl::StatusOr<Tensor> CastConstant(const Tensor& constant, DType type);

}  // namespace inferd
