#pragma once

#include "absl/status/status.h"
#include "proto/health.pb.h"
#include "proto/inference.pb.h"
#include "server/rpc/serving_state.h"

namespace inferd {

// The health group of calls. They answer while the server drains, too.

absl::Status ServerLive(inference::ServerLiveResponse* response);
absl::Status ServerReady(const ServingState& state, inference::ServerReadyResponse* response);
// An unknown model is not ready; INVALID_ARGUMENT for a version that is no number.
absl::Status ModelReady(const ServingState& state, const ModelRepository& repository,
                        const inference::ModelReadyRequest& request,
                        inference::ModelReadyResponse* response);

// The status of a name in grpc.health.v1: "" = ready to serve, "liveness", a model; SERVICE_UNKNOWN
// for others.
grpc::health::v1::HealthCheckResponse::ServingStatus HealthStatus(const ServingState& state,
                                                                  const ModelRepository& repository,
                                                                  const std::string& service);

}  // namespace inferd
