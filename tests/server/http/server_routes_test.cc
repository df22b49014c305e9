#include "server/http/server_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inferd {
namespace {

HttpReply Get(const HttpRoutes& routes, const std::string& target) {
  HttpRoutes::Match match = routes.Find("GET", target);
  HttpRequest request;
  request.captures = std::move(match.captures);
  HttpReply reply;
  const auto call = std::make_shared<HttpCall>(std::move(request),
                                               [&](HttpCall::MakeReply make) { reply = make(); });
  match.route->handler(call);
  return reply;
}

class ServerRoutes : public ::testing::Test {
 protected:
  ServerRoutes() {
    HttpQuestions questions;
    questions.is_ready = [this] { return ready_; };
    questions.is_model_ready = [](const std::string& model,
                                  const std::string& version) -> absl::StatusOr<bool> {
      if (version == "x") return absl::InvalidArgumentError("no number");
      return model == "m" && (version.empty() || version == "1");
    };
    questions.metrics_text = [] { return std::string("up 1\n"); };
    questions.metrics_content_type = "text/x";
    AddHealthRoutes(questions, &routes_);
    AddMetricsRoute(questions, &routes_);
  }

  bool ready_ = true;
  HttpRoutes routes_;
};

TEST_F(ServerRoutes, LivenessIsAlwaysTrue) {
  ready_ = false;
  EXPECT_EQ(Get(routes_, "/v2/health/live").code, 200);
}

TEST_F(ServerRoutes, ReadinessFollowsTheServer) {
  EXPECT_EQ(Get(routes_, "/v2/health/ready").code, 200);
  ready_ = false;
  EXPECT_EQ(Get(routes_, "/v2/health/ready").code, 400);
}

TEST_F(ServerRoutes, ModelsHaveTheirOwnReadiness) {
  EXPECT_EQ(Get(routes_, "/v2/models/m/ready").code, 200);
  EXPECT_EQ(Get(routes_, "/v2/models/n/ready").code, 400);
  EXPECT_EQ(Get(routes_, "/v2/models/m/versions/1/ready").code, 200);
  EXPECT_EQ(Get(routes_, "/v2/models/m/versions/2/ready").code, 400);
  EXPECT_EQ(Get(routes_, "/v2/models/m/versions/x/ready").code, 400);
}

TEST_F(ServerRoutes, MetricsAreText) {
  const HttpReply reply = Get(routes_, "/metrics");
  EXPECT_EQ(reply.body, "up 1\n");
  EXPECT_EQ(reply.content_type, "text/x");
}

}  // namespace
}  // namespace inferd
