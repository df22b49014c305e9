#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/inference.pb.h"
#include "server/rest/json_value.h"
#include "server/rpc/inflight_bytes.h"

namespace inferd {

// An inference as its HTTP body says it: the message that gRPC would bring, its tensors all raw,
// and which outputs go back as binary data.
struct RestInferRequest {
  inference::ModelInferRequest message;
  // For each of message.outputs(); where the client asks for none in particular, for all.
  std::vector<bool> binary_outputs;
  bool binary_by_default = false;

  // For the output at `index` of the reply.
  bool IsBinary(int index) const {
    return index < static_cast<int>(binary_outputs.size()) ? binary_outputs[index]
                                                           : binary_by_default;
  }
};

// Reads the body of an inference. `json_length` is the header Inference-Header-Content-Length: so
// many bytes are JSON, binary data of the inputs follows; empty: all is JSON. What it takes is
// added to `charge`. Sets the message's id as soon as it is known. Whether names, types and shapes
// are the model's is left to InferCall. INVALID_ARGUMENT names the part, what was expected and what
// came.
absl::Status ReadInferBody(absl::string_view body, absl::string_view json_length,
                           InflightCharge* charge, RestInferRequest* request);

// A body that is nothing but the data of the model's only input, one element where that is BYTES;
// its shape is fitted, see FitShape(). All outputs go back as binary data. Codes as above, and
// INVALID_ARGUMENT for a model of several inputs.
absl::Status ReadRawBody(absl::string_view body, const inference::ModelMetadataResponse& model,
                         InflightCharge* charge, RestInferRequest* request);

// A JSON value as a parameter. INVALID_ARGUMENT for null, arrays and objects.
absl::Status ReadParameter(absl::string_view name, const JsonValue& value,
                           inference::InferParameter* parameter);

}  // namespace inferd
