#include "server/rest/generate_routes.h"

#include <memory>
#include <string>
#include <utility>

#include "engine/core/status_macros.h"
#include "server/rest/generate.h"
#include "server/rest/rest_inference.h"
#include "server/rpc/metadata_calls.h"

namespace inferd {
namespace {

absl::Status Decode(const ModelRepository& repository, const HttpRequest& http,
                    InflightCharge* charge, RestInferRequest* request) {
  inference::ModelMetadataRequest about;
  about.set_name(request->message.model_name());
  about.set_version(request->message.model_version());
  inference::ModelMetadataResponse model;
  RETURN_IF_ERROR(DescribeModel(repository, about, &model));
  return ReadGenerateBody(http.body, model, charge, request);
}

}  // namespace

void AddGenerateRoutes(const RestSurroundings& shared, HttpRoutes* routes) {
  for (const bool stream : {false, true}) {
    const auto generate = [&shared, stream](std::shared_ptr<HttpCall> call) {
      RestInference::Run(
          shared, std::move(call),
          [&shared](const HttpRequest& http, InflightCharge* charge, RestInferRequest* request) {
            return Decode(*shared.repository, http, charge, request);
          },
          [&shared, stream](const RestInferRequest&,
                            const inference::ModelInferResponse& response) {
            return EncodeGenerateReply(response, stream, shared.max_reply_bytes);
          });
    };
    const std::string ending = stream ? "/generate_stream" : "/generate";
    routes->AddAsync(ApiCategory::kInference, "POST", "/v2/models/*" + ending, generate);
    routes->AddAsync(ApiCategory::kInference, "POST", "/v2/models/*/versions/*" + ending, generate);
  }
}

}  // namespace inferd
