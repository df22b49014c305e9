#include "server/rest/infer_routes.h"

#include <memory>
#include <utility>

#include "server/rest/infer_body.h"
#include "server/rest/infer_reply.h"
#include "server/rest/rest_inference.h"

namespace inferd {

void AddInferRoutes(const RestSurroundings& shared, HttpRoutes* routes) {
  const auto infer = [&shared](std::shared_ptr<HttpCall> call) {
    RestInference::Run(
        shared, std::move(call),
        [](const HttpRequest& http, InflightCharge* charge, RestInferRequest* request) {
          return ReadInferBody(http.body, http.Header("Inference-Header-Content-Length"), charge,
                               request);
        },
        [&shared](const RestInferRequest& request, const inference::ModelInferResponse& response) {
          return EncodeInferReply(request, response, shared.max_reply_bytes);
        });
  };
  routes->AddAsync(HttpCategory::kInference, "POST", "/v2/models/*/infer", infer);
  routes->AddAsync(HttpCategory::kInference, "POST", "/v2/models/*/versions/*/infer", infer);
}

}  // namespace inferd
