#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/inference.pb.h"

namespace inferd {

// The shape in which `elements` elements that came without one are an input: its fixed dimensions
// as they are, the last variable one takes what is left, further ones are 1. INVALID_ARGUMENT where
// that does not come out even.
absl::StatusOr<std::vector<int64_t>> FitShape(
    const inference::ModelMetadataResponse::TensorMetadata& tensor, int64_t elements);

}  // namespace inferd
