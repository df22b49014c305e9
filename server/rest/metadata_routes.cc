#include "server/rest/metadata_routes.h"

#include <functional>
#include <string>

#include "engine/core/status_macros.h"
#include "proto/inference.pb.h"
#include "server/rest/proto_json.h"
#include "server/rpc/metadata_calls.h"

namespace inferd {
namespace {

// A call of the metadata group as a function from path to JSON.
template <typename Request, typename Response>
using ModelCall = absl::Status (*)(const ModelRepository& repository, const Request& request,
                                   Response* response);

// The request that a path's model and version make; none stands for all models.
template <typename Request>
Request ModelRequest(const HttpRequest& http) {
  Request request;
  if (!http.captures.empty()) request.set_name(http.captures[0]);
  if (http.captures.size() > 1) request.set_version(http.captures[1]);
  return request;
}

template <typename Request, typename Response>
HttpRoutes::Handler ModelHandler(const RestSurroundings& shared, ModelCall<Request, Response> call,
                                 std::function<std::string(const Response&)> show) {
  return JsonHandler(
      shared.state, [&shared, call, show](const HttpRequest& http) -> absl::StatusOr<std::string> {
        Response response;
        RETURN_IF_ERROR(call(*shared.repository, ModelRequest<Request>(http), &response));
        return show(response);
      });
}

// `path` and the same of one version.
void AddForModel(ApiCategory category, const std::string& ending,
                 const HttpRoutes::Handler& handler, HttpRoutes* routes) {
  routes->Add(category, "GET", "/v2/models/*" + ending, handler);
  routes->Add(category, "GET", "/v2/models/*/versions/*" + ending, handler);
}

}  // namespace

void AddMetadataRoutes(const RestSurroundings& shared, HttpRoutes* routes) {
  const HttpRoutes::Handler server =
      JsonHandler(shared.state, [&shared](const HttpRequest&) -> absl::StatusOr<std::string> {
        inference::ServerMetadataResponse response;
        RETURN_IF_ERROR(DescribeServer(shared.features, &response));
        return ProtoJson(response);
      });
  routes->Add(ApiCategory::kMetadata, "GET", "/v2", server);
  routes->Add(ApiCategory::kMetadata, "GET", "/v2/", server);

  const auto statistics =
      ModelHandler<inference::ModelStatisticsRequest, inference::ModelStatisticsResponse>(
          shared, ShowStatistics, ProtoJson);
  // Before the path of a model that could be called "stats".
  routes->Add(ApiCategory::kStatistics, "GET", "/v2/models/stats", statistics);
  AddForModel(ApiCategory::kStatistics, "/stats", statistics, routes);

  const auto metadata =
      ModelHandler<inference::ModelMetadataRequest, inference::ModelMetadataResponse>(
          shared, DescribeModel, ProtoJson);
  AddForModel(ApiCategory::kMetadata, "", metadata, routes);

  const auto config = ModelHandler<inference::ModelConfigRequest, inference::ModelConfigResponse>(
      shared, ShowModelConfig,
      [](const inference::ModelConfigResponse& response) { return ProtoJson(response.config()); });
  AddForModel(ApiCategory::kMetadata, "/config", config, routes);
}

}  // namespace inferd
