#include "server/http/server_routes.h"

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

HttpReply ModelReadiness(const HttpQuestions& questions, const std::string& model,
                         const std::string& version) {
  const absl::StatusOr<bool> ready = questions.is_model_ready(model, version);
  if (!ready.ok()) return HttpError(400, ready.status().message());
  if (*ready) return HttpReply();
  return HttpError(400, absl::StrCat("model '", model, "' is not ready"));
}

}  // namespace

void AddHealthRoutes(const HttpQuestions& questions, HttpRoutes* routes) {
  routes->Add(ApiCategory::kHealth, "GET", "/v2/health/live",
              [](const HttpRequest&) { return HttpReply(); });
  routes->Add(ApiCategory::kHealth, "GET", "/v2/health/ready", [questions](const HttpRequest&) {
    return questions.is_ready() ? HttpReply() : HttpError(400, "the server is not ready");
  });
  routes->Add(ApiCategory::kHealth, "GET", "/v2/models/*/ready",
              [questions](const HttpRequest& request) {
                return ModelReadiness(questions, request.captures[0], "");
              });
  routes->Add(ApiCategory::kHealth, "GET", "/v2/models/*/versions/*/ready",
              [questions](const HttpRequest& request) {
                return ModelReadiness(questions, request.captures[0], request.captures[1]);
              });
}

void AddMetricsRoute(const HttpQuestions& questions, HttpRoutes* routes) {
  routes->Add(ApiCategory::kStatistics, "GET", "/metrics", [questions](const HttpRequest&) {
    HttpReply reply;
    reply.content_type = questions.metrics_content_type;
    reply.body = questions.metrics_text();
    return reply;
  });
}

}  // namespace inferd
