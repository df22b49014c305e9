#include "server/rpc/health_calls.h"

namespace inferd {

using grpc::health::v1::HealthCheckResponse;

absl::Status ServerLive(inference::ServerLiveResponse* response) {
  response->set_live(true);
  return absl::OkStatus();
}

absl::Status ServerReady(const ServingState& state, inference::ServerReadyResponse* response) {
  response->set_ready(state.IsReady());
  return absl::OkStatus();
}

absl::Status ModelReady(const ServingState& state, const ModelRepository& repository,
                        const inference::ModelReadyRequest& request,
                        inference::ModelReadyResponse* response) {
  const absl::Status found = repository.Get(request.name(), request.version()).status();
  if (absl::IsInvalidArgument(found)) return found;
  response->set_ready(state.IsModelReady(request.name(), request.version()));
  return absl::OkStatus();
}

HealthCheckResponse::ServingStatus HealthStatus(const ServingState& state,
                                                const ModelRepository& repository,
                                                const std::string& service) {
  if (service == "liveness") return HealthCheckResponse::SERVING;
  bool ready;
  if (service.empty()) {
    ready = state.IsReady();
  } else if (repository.Knows(service)) {
    ready = state.IsModelReady(service, "");
  } else {
    return HealthCheckResponse::SERVICE_UNKNOWN;
  }
  return ready ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

}  // namespace inferd
