#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/inference.pb.h"

namespace inferd {

using ParameterMap = google::protobuf::Map<std::string, inference::InferParameter>;

// What a request's parameters ask of the scheduler. A value type.
struct InferParameters {
  uint32_t priority = 0;  // 0 = the model's default
  std::optional<absl::Duration> queue_timeout;
  bool timings = false;  // whether the reply says where the time went
};

// Reads a request's parameters. INVALID_ARGUMENT for a wrong type or value, for sequences and for
// unknown names that begin with "triton_"; other names belong to the client and mean nothing here.
absl::StatusOr<InferParameters> ReadRequestParameters(const ParameterMap& parameters);

// What the parameters of one input or output ask. A value type.
struct TensorParameters {
  // The registered region that holds the data, and where in it; empty = the message holds it.
  std::string region;
  int64_t region_offset = 0;
  int64_t region_bytes = 0;
  // Of an output: so many classes instead of all scores; 0 = the scores.
  int64_t classes = 0;
};

// Reads the parameters of one input or output. INVALID_ARGUMENT for a wrong type or value;
// unknown names mean nothing here.
absl::StatusOr<TensorParameters> ReadTensorParameters(const ParameterMap& parameters);

}  // namespace inferd
