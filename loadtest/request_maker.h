#pragma once

#include "absl/status/statusor.h"
#include "loadtest/options.h"
#include "proto/inference.pb.h"

namespace inferd::loadtest {

// The request that a run sends again and again: every input from its file or filled by seed
// (floats N(0,1), integers and booleans 1, texts "inferd"), dimensions that the model leaves open
// being 1 unless options.shapes says otherwise. INVALID_ARGUMENT naming the input otherwise.
absl::StatusOr<inference::ModelInferRequest> MakeRequest(
    const Options& options, const inference::ModelMetadataResponse& metadata);

}  // namespace inferd::loadtest
