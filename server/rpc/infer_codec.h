#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/core/tensor.h"
#include "proto/inference.pb.h"
#include "server/model/served_model.h"
#include "server/rpc/inflight_bytes.h"
#include "server/rpc/shared_memory_regions.h"

namespace inferd {

// An output that the reply carries. A value type.
struct RequestedOutput {
  int index = 0;            // in ServedModel::outputs()
  int64_t classes = 0;      // so many of its greatest scores as text; 0 = the output itself
  SharedMemoryRange range;  // where it goes; without a region, into the message
};

// The inputs of `request` in the order of model.inputs(). They borrow from `request` where they
// can; those in shared memory are copies. Errors name the input, what was expected and what came;
// see DecodeTensor() for their codes. Without `regions` shared memory is UNIMPLEMENTED.
// Whether types and shapes are the model's is for ServedModel::Infer() to check.
absl::StatusOr<std::vector<Tensor>> DecodeInputs(const inference::ModelInferRequest& request,
                                                 const ServedModel& model,
                                                 const SharedMemoryRegions* regions,
                                                 InflightCharge* charge);

// Which of model.outputs() the reply carries, in its order; all when the request names none.
absl::StatusOr<std::vector<RequestedOutput>> ReadRequestedOutputs(
    const inference::ModelInferRequest& request, const ServedModel& model,
    const SharedMemoryRegions* regions);

// Writes the reply's tensors: `outputs` are in the order of model.outputs(), `requested` says which
// to send and where to. RESOURCE_EXHAUSTED for a message of more than `max_bytes`; INVALID_ARGUMENT
// for an output that does not fit into its shared memory.
absl::Status EncodeOutputs(absl::Span<const Tensor> outputs,
                           absl::Span<const RequestedOutput> requested, const ServedModel& model,
                           int64_t max_bytes, inference::ModelInferResponse* response);

}  // namespace inferd
