#include "server/rpc/health_calls.h"

#include <gtest/gtest.h>

#include "engine/core/status_macros.h"
#include "tests/server/rpc/fake_repository.h"

namespace inferd {
namespace {

using grpc::health::v1::HealthCheckResponse;

class HealthCalls : public ::testing::Test {
 protected:
  HealthCalls() {
    fake_.AddIdentity("m");
    fake_.Add("broken", 1, [] { return absl::InvalidArgumentError("bad"); });
    repository_ = &fake_.Start();
    state_ = std::make_unique<ServingState>(repository_, false);
  }
  absl::StatusOr<bool> IsModelReady(const std::string& name, const std::string& version) {
    inference::ModelReadyRequest request;
    inference::ModelReadyResponse response;
    request.set_name(name);
    request.set_version(version);
    RETURN_IF_ERROR(ModelReady(*state_, *repository_, request, &response));
    return response.ready();
  }

  FakeRepository fake_;
  ModelRepository* repository_;
  std::unique_ptr<ServingState> state_;
};

TEST_F(HealthCalls, TheServerIsLiveAndReady) {
  inference::ServerLiveResponse live;
  EXPECT_TRUE(ServerLive(&live).ok());
  EXPECT_TRUE(live.live());
  inference::ServerReadyResponse ready;
  EXPECT_TRUE(ServerReady(*state_, &ready).ok());
  EXPECT_TRUE(ready.ready());
}

TEST_F(HealthCalls, AModelIsReadyOrNot) {
  EXPECT_TRUE(*IsModelReady("m", ""));
  EXPECT_TRUE(*IsModelReady("m", "1"));
  EXPECT_FALSE(*IsModelReady("m", "2"));
  EXPECT_FALSE(*IsModelReady("broken", ""));
  EXPECT_FALSE(*IsModelReady("nobody", ""));
  EXPECT_TRUE(absl::IsInvalidArgument(IsModelReady("m", "x").status()));
}

TEST_F(HealthCalls, HealthKnowsTheServerLivenessAndModels) {
  EXPECT_EQ(HealthStatus(*state_, *repository_, ""), HealthCheckResponse::SERVING);
  EXPECT_EQ(HealthStatus(*state_, *repository_, "m"), HealthCheckResponse::SERVING);
  EXPECT_EQ(HealthStatus(*state_, *repository_, "broken"), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(HealthStatus(*state_, *repository_, "other"), HealthCheckResponse::SERVICE_UNKNOWN);
  state_->BeginDrain();
  EXPECT_EQ(HealthStatus(*state_, *repository_, ""), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(HealthStatus(*state_, *repository_, "m"), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(HealthStatus(*state_, *repository_, "liveness"), HealthCheckResponse::SERVING);
}

}  // namespace
}  // namespace inferd
