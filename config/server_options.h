#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "config/engine_config.h"

namespace inferd {

// Who decides which models are loaded.
enum class ModelControl : uint8_t {
  kNone,      // what is there at the start, for good
  kPoll,      // what is there, looked at again and again
  kExplicit,  // RepositoryModelLoad and RepositoryModelUnload
};

// Where models come from. A value type.
struct RepositoryOptions {
  // The folders that hold one folder a model. A name found twice is served from the first.
  std::vector<std::string> paths;
  // Models loaded at once. 0 = the smaller of 4 and the core slots.
  int load_threads = 0;
  // Requests that may queue for one model whose config does not say.
  int64_t max_queue_requests = 1024;
  ModelControl control = ModelControl::kNone;
  // kPoll: from one look to the next.
  absl::Duration poll_interval = absl::Seconds(2);
  // kExplicit: what is loaded at the start; "*" is everything.
  std::vector<std::string> startup_models;
  // A list as sha256sum prints it: only files with these digests are loaded. Empty: all are.
  std::string digests_path;
};

// How gRPC connections are kept. A value type.
struct ConnectionOptions {
  // After so long a connection takes no further calls, those in flight have max_age_grace to end
  // and the client connects anew: to a new replica, with a new certificate. 0 = never.
  absl::Duration max_age = absl::Minutes(30);
  absl::Duration max_age_grace = absl::Minutes(5);
  // A connection without traffic is asked whether it lives, and closed without an answer.
  absl::Duration keepalive_time = absl::Minutes(1);
  absl::Duration keepalive_timeout = absl::Seconds(20);
  // Clients that ping more often, three times running, are sent away. Libraries ping every 10 s at
  // most, and a ping may be late when the next is not.
  absl::Duration min_ping_interval = absl::Seconds(5);
  // Whether ModelInfer, ModelStreamInfer and RepositoryModelLoad take compressed messages.
  bool compressed_requests = false;
};

// Certificates of the ports, PEM files that are read again when they change. A value type.
struct TlsOptions {
  // Both empty: no TLS.
  std::string certificate_path;
  std::string key_path;
  // Authorities of client certificates; empty: clients show none.
  std::string client_ca_path;
  // A client may also come without a certificate.
  bool client_optional = false;
  // The metrics port has TLS, too.
  bool metrics = false;
  absl::Duration reload_interval = absl::Seconds(5);

  bool enabled() const { return !certificate_path.empty(); }
};

// Who may do what. A value type.
struct AccessOptions {
  // Rules as of proto/access_config.proto, read again when they change; empty: everybody may call.
  std::string config_path;
  // Tokens may come over connections without TLS.
  bool plaintext_tokens = false;
  absl::Duration reload_interval = absl::Seconds(5);

  bool enabled() const { return !config_path.empty(); }
};

// Everything `inferd serve` may be told. A value type.
struct ServerOptions {
  RepositoryOptions repository;
  EngineConfig engine;

  // Where to listen; port 0 = pick a free one.
  std::string address = "127.0.0.1";
  int grpc_port = 8001;
  int http_port = 8000;
  int metrics_port = 8002;

  // Ready only when every model is READY, instead of at least one.
  bool strict_readiness = false;
  // After SIGTERM: how long to serve on as NOT_SERVING, then how long in-flight requests may take.
  absl::Duration drain_delay = absl::ZeroDuration();
  absl::Duration exit_timeout = absl::Seconds(30);

  // What the process may hold: models that do not fit are refused. 0 = what the cgroup or else the
  // machine has.
  int64_t memory_limit_bytes = 0;
  // Largest gRPC message and HTTP body, either way.
  int64_t max_message_bytes = int64_t{64} << 20;
  // Bytes of requests in flight over all models.
  int64_t max_inflight_bytes = int64_t{512} << 20;
  int max_streams_per_connection = 1024;
  // Connections of the HTTP port, and threads that read, parse and write there.
  int max_http_connections = 1024;
  int http_threads = 4;
  ConnectionOptions connections;
  TlsOptions tls;
  AccessOptions access;
  // Bytes kept in pooled request and response messages.
  int64_t message_pool_bytes = int64_t{64} << 20;

  // Tensors in shared memory that clients register, so many regions and bytes of them at most.
  bool shared_memory = false;
  int64_t max_shared_memory_regions = 256;
  int64_t max_shared_memory_bytes = int64_t{4} << 30;

  // HOST:PORT of the OpenTelemetry collector that gets traces; empty: there are none. Then each
  // trace_rate-th request is traced, and at most so many spans wait to be sent. With a file of the
  // authorities that the collector's certificate may be of, they go over TLS.
  std::string otlp_endpoint;
  std::string otlp_ca_path;
  int64_t trace_rate = 1000;
  int64_t max_trace_spans = 8192;

  // Each so many-th request gets a line in the log; 0 = none.
  int64_t access_log_rate = 0;

  // "debug", "info", "warning" or "error".
  std::string log_level = "info";
};

// "none", "poll" or "explicit"; INVALID_ARGUMENT for anything else.
absl::StatusOr<ModelControl> ParseModelControl(absl::string_view text);

// INVALID_ARGUMENT naming the flag, what was expected and what was given.
absl::Status CheckServerOptions(const ServerOptions& options);

// Puts what the text of a server config file (proto/server_config.proto) sets into `options`.
// INVALID_ARGUMENT with line and column.
absl::Status ApplyServerConfig(absl::string_view text, ServerOptions* options);

}  // namespace inferd
