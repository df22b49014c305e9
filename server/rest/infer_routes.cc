#include "server/rest/infer_routes.h"

#include <memory>
#include <utility>

#include "engine/core/status_macros.h"
#include "server/rest/infer_body.h"
#include "server/rest/infer_reply.h"
#include "server/rest/rest_inference.h"
#include "server/rpc/metadata_calls.h"

namespace inferd {
namespace {

// A header of 0 says that the body is data alone.
absl::Status Decode(const ModelRepository& repository, const HttpRequest& http,
                    InflightCharge* charge, RestInferRequest* request) {
  const absl::string_view json_length = http.Header("Inference-Header-Content-Length");
  if (json_length != "0") return ReadInferBody(http.body, json_length, charge, request);
  inference::ModelMetadataRequest about;
  about.set_name(request->message.model_name());
  about.set_version(request->message.model_version());
  inference::ModelMetadataResponse model;
  RETURN_IF_ERROR(DescribeModel(repository, about, &model));
  return ReadRawBody(http.body, model, charge, request);
}

}  // namespace

void AddInferRoutes(const RestSurroundings& shared, HttpRoutes* routes) {
  const auto infer = [&shared](std::shared_ptr<HttpCall> call) {
    RestInference::Run(
        shared, std::move(call),
        [&shared](const HttpRequest& http, InflightCharge* charge, RestInferRequest* request) {
          return Decode(*shared.repository, http, charge, request);
        },
        [&shared](const RestInferRequest& request, const inference::ModelInferResponse& response) {
          return EncodeInferReply(request, response, shared.max_reply_bytes);
        });
  };
  routes->AddAsync(ApiCategory::kInference, "POST", "/v2/models/*/infer", infer);
  routes->AddAsync(ApiCategory::kInference, "POST", "/v2/models/*/versions/*/infer", infer);
}

}  // namespace inferd
