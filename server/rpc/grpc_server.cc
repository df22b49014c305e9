#include "server/rpc/grpc_server.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "server/metrics/log.h"
#include "server/rpc/health_service.h"
#include "server/rpc/reflection_service.h"
#include "server/rpc/service.h"
#include "server/rpc/tls_credentials.h"

namespace inferd {
namespace {

// One large message must not keep the pool to itself.
constexpr int64_t kPoolShareOfOneMessage = 16;
// Pings too early that are forgiven in a row.
constexpr int kPingStrikes = 2;

// gRPC writes a line for each thing a client does wrong: for debugging, not for the log.
void LogFromGrpc(gpr_log_func_args* args) {
  if (DebugIsLogged()) LogDebug(absl::StrCat("gRPC: ", args->message));
}

// So does protobuf, for texts that are not UTF-8.
void LogFromProtobuf(google::protobuf::LogLevel, const char*, int, const std::string& message) {
  if (DebugIsLogged()) LogDebug(absl::StrCat("protobuf: ", message));
}

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(
      std::min<int64_t>(absl::ToInt64Milliseconds(duration), std::numeric_limits<int>::max()));
}

void SetConnectionArguments(const ConnectionOptions& options, grpc::ServerBuilder* builder) {
  if (options.max_age > absl::ZeroDuration()) {
    // gRPC itself spreads the age by a tenth, so that clients do not return all at once.
    builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, Milliseconds(options.max_age));
    builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                                Milliseconds(options.max_age_grace));
  }
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(options.keepalive_time));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                              Milliseconds(options.keepalive_timeout));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                              Milliseconds(options.min_ping_interval));
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kPingStrikes);
}

void SetArguments(const GrpcServerOptions& options, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  // gRPC expands a message in full before it looks at its size: WireRequest does it instead.
  builder->AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  // Nobody can ask for it: there is no channelz service. It costs memory for each connection.
  builder->AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  // Two daemons on one port would share its connections.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_streams_per_connection);
  SetConnectionArguments(options.connections, builder);
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
                                    options.max_message_bytes, features,
                                    WireLimits{options.max_message_bytes,
                                               options.connections.compressed_requests}},
                  AccessOf(options, features)),
        health(repository, state, AccessOf(options, features)),
        reflection(MakeReflection(AccessOf(options, features))),
        reflection_v1alpha(MakeReflectionV1Alpha(AccessOf(options, features))) {}

  static CallAccess AccessOf(const GrpcServerOptions& options, const InferFeatures& features) {
    return {options.access, options.certificates == nullptr, features.access_log};
  }

  RequestPool requests;
  ResponsePool responses;
  InferenceService inference;
  HealthService health;
  std::unique_ptr<grpc::Service> reflection;
  std::unique_ptr<grpc::Service> reflection_v1alpha;
  std::shared_ptr<grpc::ServerCredentials> credentials;
  std::unique_ptr<grpc::Server> server;
};

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const GrpcServerOptions& options,
                                                              ModelRepository* repository,
                                                              ServingState* state,
                                                              InflightBytes* inflight,
                                                              const InferFeatures& features) {
  auto services = std::make_unique<Services>(options, repository, state, inflight, features);
  gpr_set_log_function(LogFromGrpc);
  google::protobuf::SetLogHandler(LogFromProtobuf);
  // gRPC's locks are Abseil's, which Debian builds to look for deadlocks: at each Lock() of each
  // call a walk through a graph that all threads share.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  grpc::EnableDefaultHealthCheckService(false);
  grpc::ServerBuilder builder;
  SetArguments(options, &builder);
  const std::string where = HostPort(options.address, options.port);
  int port = 0;
  services->credentials = options.certificates == nullptr
                              ? grpc::InsecureServerCredentials()
                              : std::make_shared<TlsCredentials>(options.certificates);
  builder.AddListeningPort(where, services->credentials, &port);
  builder.RegisterService(&services->inference);
  builder.RegisterService(&services->health);
  builder.RegisterService(services->reflection.get());
  builder.RegisterService(services->reflection_v1alpha.get());
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
