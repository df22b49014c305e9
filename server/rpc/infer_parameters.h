#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/inference.pb.h"

namespace inferd {

using ParameterMap = google::protobuf::Map<std::string, inference::InferParameter>;

// What a request's parameters ask of the scheduler. A value type.
struct InferParameters {
  uint32_t priority = 0;  // 0 = the model's default
  std::optional<absl::Duration> queue_timeout;
};

// Reads a request's parameters. INVALID_ARGUMENT for a wrong type or value, for sequences and for
// unknown names that begin with "triton_"; other names belong to the client and mean nothing here.
absl::StatusOr<InferParameters> ReadRequestParameters(const ParameterMap& parameters);

// Checks the parameters of one input or output: UNIMPLEMENTED for shared memory and classification.
absl::Status CheckTensorParameters(const ParameterMap& parameters);

}  // namespace inferd
