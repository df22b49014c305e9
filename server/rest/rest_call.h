#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/http/http_routes.h"
#include "server/repository/model_repository.h"
#include "server/rpc/infer_call.h"
#include "server/rpc/inflight_bytes.h"
#include "server/rpc/serving_state.h"

namespace inferd {

// What all calls of the REST port share; outlives them. Thread-safe.
struct RestSurroundings {
  ModelRepository* repository;
  ServingState* state;
  InflightBytes* inflight;
  int64_t max_reply_bytes;
  InferFeatures features;
};

// Counts a call until what it returns is let go; null when calls are refused.
std::shared_ptr<void> EnterCall(ServingState* state);

// The reply to a call that is refused; the client should go elsewhere.
HttpReply RefusedReply();
HttpReply JsonReply(std::string body);

// A handler that counts its calls and answers with JSON, or with the error.
HttpRoutes::Handler JsonHandler(
    ServingState* state,
    std::function<absl::StatusOr<std::string>(const HttpRequest& request)> answer);

}  // namespace inferd
