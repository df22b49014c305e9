#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/http/http_routes.h"

namespace inferd {

// What the health paths and /metrics ask; every function is thread-safe and does not block.
struct HttpQuestions {
  std::function<bool()> is_ready;
  // By model and version (empty = any); INVALID_ARGUMENT for a version that is no number.
  std::function<absl::StatusOr<bool>(const std::string& model, const std::string& version)>
      is_model_ready;
  std::function<std::string()> metrics_text;
  std::string metrics_content_type;
};

// GET /v2/health/live, /v2/health/ready, /v2/models/M/ready and /v2/models/M/versions/V/ready: 200
// for yes, 400 for no.
void AddHealthRoutes(const HttpQuestions& questions, HttpRoutes* routes);

// GET /metrics.
void AddMetricsRoute(const HttpQuestions& questions, HttpRoutes* routes);

}  // namespace inferd
