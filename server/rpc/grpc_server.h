#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "config/server_options.h"
#include "server/access/access_control.h"
#include "server/repository/model_repository.h"
#include "server/rpc/infer_call.h"
#include "server/rpc/inflight_bytes.h"
#include "server/rpc/serving_state.h"
#include "server/security/certificate_watcher.h"

namespace inferd {

// How the gRPC port is served. A value type.
struct GrpcServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;  // 0 = any free one
  int64_t max_message_bytes = int64_t{64} << 20;
  int max_streams_per_connection = 1024;
  ConnectionOptions connections;
  // Null: without TLS. Outlives the server.
  const CertificateWatcher* certificates = nullptr;
  // Null: everybody may call. Outlives the server.
  const AccessControl* access = nullptr;
  // Kept in pooled messages.
  int64_t message_pool_bytes = int64_t{64} << 20;
  // What gRPC may hold of messages that are not whole yet; streams are ended beyond it.
  int64_t receive_buffer_bytes = int64_t{512} << 20;
};

// The gRPC port with its services: inference, health and reflection. It listens from Start() on,
// whatever the repository is doing. Thread-safe.
class GrpcServer {
 public:
  // The pointers outlive the server. UNAVAILABLE when the port cannot be had.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const GrpcServerOptions& options,
                                                           ModelRepository* repository,
                                                           ServingState* state,
                                                           InflightBytes* inflight,
                                                           const InferFeatures& features = {});
  // Shuts down at once if Shutdown() was not called.
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // The port that it listens on.
  int port() const { return port_; }
  // Tells those who watch a model's or the server's health what changed.
  void RefreshHealth();
  // Closes the port and ends what is still open; calls have `grace` to finish.
  void Shutdown(absl::Duration grace);

 private:
  struct Services;
  GrpcServer(std::unique_ptr<Services> services, int port);

  const std::unique_ptr<Services> services_;
  const int port_;
};

// "HOST:PORT", an IPv6 address in brackets.
std::string HostPort(const std::string& address, int port);

}  // namespace inferd
