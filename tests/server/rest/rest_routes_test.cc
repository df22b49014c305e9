#include "server/rest/rest_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <utility>

#include "tests/server/rpc/fake_repository.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;

// A row of two floats for FakeModel::Identity().
constexpr char kRow[] =
    R"({"id":"r1","inputs":[{"name":"X","shape":[1,2],"datatype":"FP32","data":[1,2.5]}]})";

class RestRoutesTest : public ::testing::Test {
 protected:
  RestRoutesTest() {
    fake_.AddIdentity("m", 3);
    state_ = std::make_unique<ServingState>(&fake_.Start(), false);
    shared_ = std::make_unique<RestSurroundings>(RestSurroundings{
        &fake_.repository(), state_.get(), &inflight_, int64_t{1} << 20, InferFeatures()});
    AddRestRoutes(*shared_, &routes_);
  }

  HttpReply Ask(const std::string& method, const std::string& target, const std::string& body = "",
                bool client_is_gone = false) {
    HttpRoutes::Match match = routes_.Find(method, target);
    if (match.route == nullptr) return std::move(match.refusal);
    HttpRequest request;
    request.body = body;
    request.captures = std::move(match.captures);
    std::promise<HttpReply> reply;
    auto call = std::make_shared<HttpCall>(
        std::move(request), [&](HttpCall::MakeReply make) { reply.set_value(make()); });
    if (client_is_gone) call->ClientGone();
    match.route->handler(std::move(call));
    return reply.get_future().get();
  }

  FakeRepository fake_;
  InflightBytes inflight_{1 << 20};
  std::unique_ptr<ServingState> state_;
  std::unique_ptr<RestSurroundings> shared_;
  HttpRoutes routes_;
};

TEST_F(RestRoutesTest, AnswersAnInference) {
  const HttpReply reply = Ask("POST", "/v2/models/m/infer", kRow);
  EXPECT_EQ(reply.code, 200);
  EXPECT_EQ(reply.body, R"({"id":"r1","model_name":"m","model_version":"3","outputs":[)"
                        R"({"name":"Y","datatype":"FP32","shape":[1,2],"data":[1.0,2.5]}]})");
  EXPECT_THAT(Ask("POST", "/v2/models/m/versions/3/infer", kRow).body,
              HasSubstr(R"("model_version":"3")"));
}

TEST_F(RestRoutesTest, ACallCountsUntilItsReplyIsLetGo) {
  HttpReply reply = Ask("POST", "/v2/models/m/infer", kRow);
  EXPECT_EQ(state_->calls(), 1);
  EXPECT_EQ(inflight_.used(), static_cast<int64_t>(reply.body.size()));
  reply = HttpReply();
  EXPECT_EQ(state_->calls(), 0);
  EXPECT_EQ(inflight_.used(), 0);
  reply = Ask("GET", "/v2/models/m");
  EXPECT_EQ(state_->calls(), 1);
}

TEST_F(RestRoutesTest, ErrorsHaveTheRequestsIdAndTheirCode) {
  const std::string wrong =
      R"({"id":"r1","inputs":[{"name":"X","shape":[1,2],"datatype":"FP32","data":[1]}]})";
  const HttpReply reply = Ask("POST", "/v2/models/m/infer", wrong);
  EXPECT_EQ(reply.code, 400);
  EXPECT_THAT(reply.body, HasSubstr("[request id: r1] model 'm': input 'X': expected 2 elements"));
  EXPECT_EQ(Ask("POST", "/v2/models/n/infer", kRow).code, 404);
  EXPECT_EQ(Ask("POST", "/v2/models/m/versions/x/infer", kRow).code, 400);
  EXPECT_EQ(Ask("POST", "/v2/models/m/infer", "x").code, 400);
}

TEST_F(RestRoutesTest, AClientThatIsGoneCancelsItsRequest) {
  EXPECT_EQ(Ask("POST", "/v2/models/m/infer", kRow, true).code, 499);
}

TEST_F(RestRoutesTest, CallsAreRefusedAtTheEnd) {
  state_->RefuseCalls();
  for (const auto& [method, target] :
       {std::make_pair("POST", "/v2/models/m/infer"), std::make_pair("GET", "/v2/models/m"),
        std::make_pair("POST", "/v2/repository/models/m/load")}) {
    const HttpReply reply = Ask(method, target, "{}");
    EXPECT_EQ(reply.code, 503) << target;
    EXPECT_TRUE(reply.close);
  }
}

TEST_F(RestRoutesTest, EveryPathHasItsCategory) {
  const struct {
    const char* method;
    const char* target;
    ApiCategory category;
  } paths[] = {
      {"GET", "/v2", ApiCategory::kMetadata},
      {"GET", "/v2/models/m/config", ApiCategory::kMetadata},
      {"GET", "/v2/models/stats", ApiCategory::kStatistics},
      {"GET", "/v2/models/m/versions/1/stats", ApiCategory::kStatistics},
      {"POST", "/v2/models/m/infer", ApiCategory::kInference},
      {"POST", "/v2/models/m/versions/1/generate_stream", ApiCategory::kInference},
      {"POST", "/v2/repository/index", ApiCategory::kModelRepository},
      {"POST", "/v2/repository/models/m/unload", ApiCategory::kModelRepository},
      {"POST", "/v2/systemsharedmemory/region/r/register", ApiCategory::kSharedMemory},
      {"GET", "/v2/logging", ApiCategory::kLogging},
  };
  for (const auto& path : paths) {
    const HttpRoutes::Match match = routes_.Find(path.method, path.target);
    ASSERT_NE(match.route, nullptr) << path.target;
    EXPECT_EQ(match.route->category, path.category) << path.target;
  }
}

TEST_F(RestRoutesTest, ModelControlObeysTheMode) {
  const HttpReply reply = Ask("POST", "/v2/repository/models/m/unload");
  EXPECT_EQ(reply.code, 503);
  EXPECT_THAT(reply.body, HasSubstr("explicit"));
}

}  // namespace
}  // namespace inferd
