#include "server/rpc/grpc_server.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "proto/health.grpc.pb.h"
#include "proto/inference.grpc.pb.h"
#include "tests/server/rpc/fake_repository.h"
#include "tests/server/rpc/infer_request_builder.h"

namespace inferd {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using inference::GRPCInferenceService;
using inference::ModelInferRequest;
using inference::ModelInferResponse;
using ::testing::HasSubstr;

constexpr int64_t kMaxMessage = 1 << 20;
constexpr int64_t kMaxInflight = 1 << 20;

// A server with the models "m" (identity) and "slow", which waits until it is released.
class GrpcServerTest : public ::testing::Test {
 protected:
  GrpcServerTest() {
    fake_.AddIdentity("m");
    fake_.Add("slow", 1, [this]() -> absl::StatusOr<std::unique_ptr<Model>> {
      std::unique_ptr<FakeModel> model = FakeModel::Identity();
      slow_ = model.get();
      return model;
    });
    ModelRepository& repository = fake_.Start();
    slow_runs_ = slow_->runs().size();
    state_ = std::make_unique<ServingState>(&repository, false);
    GrpcServerOptions options;
    options.max_message_bytes = kMaxMessage;
    auto server = GrpcServer::Start(options, &repository, state_.get(), &inflight_);
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(HostPort("127.0.0.1", server_->port()),
                                   grpc::InsecureChannelCredentials());
    stub_ = GRPCInferenceService::NewStub(channel_);
    health_ = Health::NewStub(channel_);
  }

  grpc::Status Infer(const ModelInferRequest& request, ModelInferResponse* response) {
    grpc::ClientContext context;
    return stub_->ModelInfer(&context, request, response);
  }
  HealthCheckResponse::ServingStatus Check(const std::string& name) {
    HealthCheckRequest request;
    HealthCheckResponse response;
    request.set_service(name);
    grpc::ClientContext context;
    const grpc::Status status = health_->Check(&context, request, &response);
    return status.ok() ? response.status() : HealthCheckResponse::SERVICE_UNKNOWN;
  }

  FakeRepository fake_;
  FakeModel* slow_ = nullptr;
  size_t slow_runs_ = 0;
  InflightBytes inflight_{kMaxInflight};
  std::unique_ptr<ServingState> state_;
  std::unique_ptr<GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<GRPCInferenceService::Stub> stub_;
  std::unique_ptr<Health::Stub> health_;
};

TEST_F(GrpcServerTest, Infers) {
  ModelInferResponse response;
  for (int i = 0; i < 3; ++i) {
    const grpc::Status status = Infer(IdentityRequest("m"), &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.raw_output_contents(0), RawFloats({1, 2}));
    EXPECT_EQ(response.id(), "r1");
  }
}

TEST_F(GrpcServerTest, KeepsCodesAndMessages) {
  ModelInferResponse response;
  const grpc::Status status = Infer(IdentityRequest("nobody"), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("[request id: r1] model 'nobody'"));
}

TEST_F(GrpcServerTest, RefusesBytesThatAreNoMessage) {
  grpc::GenericStub generic(channel_);
  const grpc::Slice slice("\x2a\x7f");
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer reply;
  grpc::ClientContext context;
  std::promise<grpc::Status> done;
  generic.UnaryCall(&context, "/inference.GRPCInferenceService/ModelInfer", {}, &request, &reply,
                    [&](grpc::Status status) { done.set_value(std::move(status)); });
  EXPECT_EQ(done.get_future().get().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcServerTest, RefusesAMessageOverTheLimit) {
  ModelInferRequest request = IdentityRequest("m");
  request.add_raw_input_contents(std::string(kMaxMessage, 'x'));
  ModelInferResponse response;
  EXPECT_EQ(Infer(request, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(GrpcServerTest, RefusesWhatPassesTheMemoryInFlight) {
  // Its bytes fit, but not the objects that they stand for.
  ModelInferRequest request = IdentityRequest("m");
  for (int i = 0; i < 10000; ++i) request.add_inputs();
  ModelInferResponse response;
  const grpc::Status status = Infer(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("requests in flight may take"));
  EXPECT_TRUE(Infer(IdentityRequest("m"), &response).ok());
}

TEST_F(GrpcServerTest, RefusesCompressedRequests) {
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  ModelInferRequest request = IdentityRequest("m");
  request.set_id(std::string(10000, 'i'));
  ModelInferResponse response;
  EXPECT_EQ(stub_->ModelInfer(&context, request, &response).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(GrpcServerTest, WhatIsOffIsUnimplemented) {
  inference::SystemSharedMemoryStatusRequest request;
  inference::SystemSharedMemoryStatusResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(stub_->SystemSharedMemoryStatus(&context, request, &response).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(GrpcServerTest, AnswersTheHealthAndMetadataGroups) {
  inference::ServerReadyResponse ready;
  grpc::ClientContext first;
  ASSERT_TRUE(stub_->ServerReady(&first, {}, &ready).ok());
  EXPECT_TRUE(ready.ready());
  inference::ModelMetadataRequest request;
  inference::ModelMetadataResponse metadata;
  request.set_name("m");
  grpc::ClientContext second;
  ASSERT_TRUE(stub_->ModelMetadata(&second, request, &metadata).ok());
  EXPECT_EQ(metadata.name(), "m");
}

TEST_F(GrpcServerTest, ADeadlineEndsAWaitingRequest) {
  slow_->Hold();
  ModelInferResponse response;
  std::thread first([&] { EXPECT_TRUE(Infer(IdentityRequest("slow"), &response).ok()); });
  slow_->AwaitRuns(slow_runs_ + 1);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(20));
  ModelInferResponse late;
  EXPECT_EQ(stub_->ModelInfer(&context, IdentityRequest("slow"), &late).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  slow_->Release();
  first.join();
}

TEST_F(GrpcServerTest, ADrainAnswersWhatIsInFlightAndRefusesTheRest) {
  slow_->Hold();
  ModelInferResponse response;
  std::thread in_flight([&] { EXPECT_TRUE(Infer(IdentityRequest("slow"), &response).ok()); });
  slow_->AwaitRuns(slow_runs_ + 1);
  state_->BeginDrain();
  EXPECT_EQ(Check(""), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(Check("liveness"), HealthCheckResponse::SERVING);
  ModelInferResponse other;
  EXPECT_TRUE(Infer(IdentityRequest("m"), &other).ok());
  state_->RefuseCalls();
  EXPECT_EQ(Infer(IdentityRequest("m"), &other).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_FALSE(state_->WaitIdle(absl::ZeroDuration()));
  slow_->Release();
  EXPECT_TRUE(state_->WaitIdle(absl::Minutes(1)));
  in_flight.join();
  server_->Shutdown(absl::Seconds(1));
}

TEST_F(GrpcServerTest, AReplyGivesTheMemoryBack) {
  ModelInferResponse response;
  ASSERT_TRUE(Infer(IdentityRequest("m"), &response).ok());
  state_->RefuseCalls();
  EXPECT_TRUE(state_->WaitIdle(absl::Minutes(1)));
  EXPECT_EQ(inflight_.used(), 0);
}

TEST_F(GrpcServerTest, HealthChecksKnowTheirNames) {
  EXPECT_EQ(Check(""), HealthCheckResponse::SERVING);
  EXPECT_EQ(Check("m"), HealthCheckResponse::SERVING);
  HealthCheckRequest request;
  HealthCheckResponse response;
  request.set_service("nobody");
  grpc::ClientContext context;
  EXPECT_EQ(health_->Check(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(GrpcServerTest, AWatchTellsEachChangeAndEndsWithTheServer) {
  grpc::ClientContext context, unknown_context;
  HealthCheckRequest request;
  HealthCheckResponse response;
  auto watch = health_->Watch(&context, request);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  request.set_service("nobody");
  auto unknown = health_->Watch(&unknown_context, request);
  ASSERT_TRUE(unknown->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  state_->BeginDrain();
  server_->RefreshHealth();
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  std::thread shutdown([&] { server_->Shutdown(absl::Minutes(1)); });
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  unknown_context.TryCancel();
  shutdown.join();
}

TEST_F(GrpcServerTest, ACancelledWatchIsForgotten) {
  {
    grpc::ClientContext context;
    auto watch = health_->Watch(&context, HealthCheckRequest());
    HealthCheckResponse response;
    ASSERT_TRUE(watch->Read(&response));
    context.TryCancel();
    watch->Finish();
  }
  server_->RefreshHealth();
  server_->Shutdown(absl::Minutes(1));
}

TEST_F(GrpcServerTest, ATakenPortIsAnError) {
  GrpcServerOptions options;
  options.port = server_->port();
  const auto second = GrpcServer::Start(options, &fake_.repository(), state_.get(), &inflight_);
  EXPECT_TRUE(absl::IsUnavailable(second.status()));
}

TEST(GrpcServer, PutsIpv6AddressesInBrackets) {
  EXPECT_EQ(HostPort("127.0.0.1", 80), "127.0.0.1:80");
  EXPECT_EQ(HostPort("::1", 80), "[::1]:80");
}

}  // namespace
}  // namespace inferd
