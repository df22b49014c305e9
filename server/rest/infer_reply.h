#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "proto/inference.pb.h"
#include "server/http/http_message.h"
#include "server/rest/infer_body.h"

namespace inferd {

// The reply to `request`: JSON, behind it the outputs that go as binary data. INVALID_ARGUMENT for
// an output without a JSON form, RESOURCE_EXHAUSTED for a body of more than `max_bytes`.
absl::StatusOr<HttpReply> EncodeInferReply(const RestInferRequest& request,
                                           const inference::ModelInferResponse& response,
                                           int64_t max_bytes);

// Appends {"name":value,...}.
void AppendParameters(
    const google::protobuf::Map<std::string, inference::InferParameter>& parameters,
    std::string* out);

}  // namespace inferd
