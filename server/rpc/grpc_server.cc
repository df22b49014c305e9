#include "server/rpc/grpc_server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/metrics/log.h"
#include "server/rpc/health_service.h"
#include "server/rpc/service.h"

namespace inferd {
namespace {

// One large message must not keep the pool to itself.
constexpr int64_t kPoolShareOfOneMessage = 16;
constexpr absl::Duration kKeepaliveTime = absl::Minutes(1);
constexpr absl::Duration kKeepaliveTimeout = absl::Seconds(20);
constexpr absl::Duration kLeastPingInterval = absl::Seconds(10);

// gRPC writes a line for each thing a client does wrong: for debugging, not for the log.
void LogFromGrpc(gpr_log_func_args* args) { LogDebug(absl::StrCat("gRPC: ", args->message)); }

void SetArguments(const GrpcServerOptions& options, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  // A compressed message is expanded in full before its size is looked at.
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  // Two daemons on one port would share its connections.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_streams_per_connection);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                              static_cast<int>(absl::ToInt64Milliseconds(kKeepaliveTime)));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                              static_cast<int>(absl::ToInt64Milliseconds(kKeepaliveTimeout)));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                              static_cast<int>(absl::ToInt64Milliseconds(kLeastPingInterval)));
  grpc::ResourceQuota quota("inferd");
  quota.Resize(static_cast<size_t>(options.receive_buffer_bytes));
  builder->SetResourceQuota(quota);
}

}  // namespace

struct GrpcServer::Services {
  Services(const GrpcServerOptions& options, ModelRepository* repository, ServingState* state,
           InflightBytes* inflight, const InferFeatures& features)
      : requests(options.message_pool_bytes / 2,
                 options.message_pool_bytes / 2 / kPoolShareOfOneMessage),
        responses(options.message_pool_bytes / 2,
                  options.message_pool_bytes / 2 / kPoolShareOfOneMessage),
        inference(repository, state,
                  InferSurroundings{repository, state, inflight, &requests, &responses,
                                    options.max_message_bytes, features}),
        health(repository, state) {}

  RequestPool requests;
  ResponsePool responses;
  InferenceService inference;
  HealthService health;
  std::unique_ptr<grpc::Server> server;
};

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const GrpcServerOptions& options,
                                                              ModelRepository* repository,
                                                              ServingState* state,
                                                              InflightBytes* inflight,
                                                              const InferFeatures& features) {
  auto services = std::make_unique<Services>(options, repository, state, inflight, features);
  gpr_set_log_function(LogFromGrpc);
  grpc::EnableDefaultHealthCheckService(false);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetArguments(options, &builder);
  const std::string where = HostPort(options.address, options.port);
  int port = 0;
  builder.AddListeningPort(where, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&services->inference);
  builder.RegisterService(&services->health);
  services->server = builder.BuildAndStart();
  if (services->server == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen for gRPC on ", where,
                                               ": the port is in use or the address is not ours"));
  }
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(services), port));
}

GrpcServer::GrpcServer(std::unique_ptr<Services> services, int port)
    : services_(std::move(services)), port_(port) {}

GrpcServer::~GrpcServer() { Shutdown(absl::ZeroDuration()); }

void GrpcServer::RefreshHealth() { services_->health.Refresh(); }

void GrpcServer::Shutdown(absl::Duration grace) {
  services_->health.EndWatches();
  services_->server->Shutdown(absl::ToChronoTime(absl::Now() + grace));
}

std::string HostPort(const std::string& address, int port) {
  if (absl::StrContains(address, ':')) return absl::StrCat("[", address, "]:", port);
  return absl::StrCat(address, ":", port);
}

}  // namespace inferd
