#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/inference.pb.h"
#include "server/http/http_message.h"
#include "server/rest/infer_body.h"
#include "server/rpc/inflight_bytes.h"

namespace inferd {

// The generate extension: a flat JSON object whose members are inputs by their names; others, and
// those within "parameters", are parameters of the request unless an input has that name. A single
// value or an array is fitted into the input's shape: its fixed dimensions as they are, the last
// variable one takes what is left, further ones are 1. `model` is the model's metadata. Codes as
// for ReadInferBody().
absl::Status ReadGenerateBody(absl::string_view body, const inference::ModelMetadataResponse& model,
                              InflightCharge* charge, RestInferRequest* request);

// The reply: the model's name and version and the outputs by their names, single elements without
// brackets; with `as_event` as one server-sent event. Codes as for EncodeInferReply().
absl::StatusOr<HttpReply> EncodeGenerateReply(const inference::ModelInferResponse& response,
                                              bool as_event, int64_t max_bytes);

}  // namespace inferd
