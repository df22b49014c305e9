#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/core/tensor.h"
#include "proto/inference.pb.h"
#include "server/model/served_model.h"
#include "server/rpc/inflight_bytes.h"

namespace inferd {

// The inputs of `request` in the order of model.inputs(). They borrow from `request` where they
// can. Errors name the input, what was expected and what came; see DecodeTensor() for their codes.
// Whether types and shapes are the model's is for ServedModel::Infer() to check.
absl::StatusOr<std::vector<Tensor>> DecodeInputs(const inference::ModelInferRequest& request,
                                                 const ServedModel& model, InflightCharge* charge);

// Which of model.outputs() the reply carries, in its order; all when the request names none.
absl::StatusOr<std::vector<int>> ReadRequestedOutputs(const inference::ModelInferRequest& request,
                                                      const ServedModel& model);

// Writes the reply's tensors: `outputs` are in the order of model.outputs(), `requested` says which
// to send. RESOURCE_EXHAUSTED for a reply of more than `max_bytes`.
absl::Status EncodeOutputs(absl::Span<const Tensor> outputs, absl::Span<const int> requested,
                           const ServedModel& model, int64_t max_bytes,
                           inference::ModelInferResponse* response);

}  // namespace inferd
