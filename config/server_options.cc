#include "config/server_options.h"

#include <cmath>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "config/text_proto.h"
#include "proto/server_config.pb.h"

namespace inferd {
namespace {

constexpr int64_t kMaxSecondsOption = 86400;

absl::Status CheckRange(absl::string_view flag, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(flag, ": expected ", least, " to ", most, ", got ", value));
}

absl::Status CheckDuration(absl::string_view flag, absl::Duration value) {
  if (value >= absl::ZeroDuration() && value <= absl::Seconds(kMaxSecondsOption)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(flag, ": expected 0 to ", kMaxSecondsOption,
                                                 " seconds, got ", absl::FormatDuration(value)));
}

// HOST:PORT, or empty.
absl::Status CheckEndpoint(absl::string_view flag, absl::string_view endpoint) {
  const size_t colon = endpoint.rfind(':');
  int port = 0;
  if (endpoint.empty() ||
      (colon != absl::string_view::npos && colon > 0 &&
       absl::SimpleAtoi(endpoint.substr(colon + 1), &port) && port > 0 && port < 65536)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(flag, ": expected HOST:PORT, got '", endpoint.substr(0, 300), "'"));
}

absl::Status CheckNumbers(const ServerOptions& options) {
  struct Range {
    absl::string_view flag;
    int64_t value, least, most;
  };
  const int64_t kTera = int64_t{1} << 40;
  // A gRPC message length is a signed 32-bit number.
  const int64_t kMaxMessage = (int64_t{1} << 31) - 1;
  const Range ranges[] = {
      {"--grpc-port", options.grpc_port, 0, 65535},
      {"--http-port", options.http_port, 0, 65535},
      {"--metrics-port", options.metrics_port, 0, 65535},
      {"--memory-limit-bytes", options.memory_limit_bytes, 0, 1024 * kTera},
      {"--max-message-bytes", options.max_message_bytes, 1024, kMaxMessage},
      {"--max-inflight-bytes", options.max_inflight_bytes, options.max_message_bytes, kTera},
      {"--max-concurrent-streams", options.max_streams_per_connection, 1, 1000000},
      {"--max-http-connections", options.max_http_connections, 1, 1000000},
      {"--http-threads", options.http_threads, 1, 256},
      {"--message-pool-bytes", options.message_pool_bytes, 0, kTera},
      {"--max-queue-requests", options.repository.max_queue_requests, 1, 1000000},
      {"--max-shared-memory-regions", options.max_shared_memory_regions, 1, 100000},
      {"--max-shared-memory-bytes", options.max_shared_memory_bytes, 1, 1024 * kTera},
      {"--access-log-rate", options.access_log_rate, 0, 0xffffffff},
      {"--trace-rate", options.trace_rate, 1, 0xffffffff},
      {"--max-trace-spans", options.max_trace_spans, 1, 10000000},
      {"--load-threads", options.repository.load_threads, 0, 256},
      {"--core-slots", options.engine.core_slots, 0, 4096},
      {"--max-cache-bytes", options.engine.max_cache_bytes, 0, 1024 * kTera},
      {"--threads-per-slot", options.engine.threads_per_slot, 1, 1024},
  };
  for (const Range& range : ranges) {
    absl::Status status = CheckRange(range.flag, range.value, range.least, range.most);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckConnections(const ConnectionOptions& options) {
  struct Range {
    absl::string_view flag;
    absl::Duration value, least;
  };
  const absl::Duration kTick = absl::Milliseconds(1);
  const Range ranges[] = {
      {"--max-connection-age", options.max_age, absl::ZeroDuration()},
      {"--max-connection-age-grace", options.max_age_grace, absl::ZeroDuration()},
      {"--keepalive-time", options.keepalive_time, kTick},
      {"--keepalive-timeout", options.keepalive_timeout, kTick},
      {"--min-ping-interval", options.min_ping_interval, kTick},
  };
  for (const Range& range : ranges) {
    absl::Status status = CheckDuration(range.flag, range.value);
    if (!status.ok()) return status;
    if (range.value < range.least) {
      return absl::InvalidArgumentError(absl::StrCat(range.flag, ": expected at least 1 ms, got ",
                                                     absl::FormatDuration(range.value)));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTls(const TlsOptions& options) {
  if (options.certificate_path.empty() != options.key_path.empty()) {
    return absl::InvalidArgumentError("--tls-cert and --tls-key: expected both or neither");
  }
  if (!options.client_ca_path.empty() && !options.enabled()) {
    return absl::InvalidArgumentError("--tls-client-ca: expected --tls-cert and --tls-key too");
  }
  if (options.metrics && !options.enabled()) {
    return absl::InvalidArgumentError("--metrics-tls: expected --tls-cert and --tls-key too");
  }
  if (options.client_optional && options.client_ca_path.empty()) {
    return absl::InvalidArgumentError("--tls-client-optional: expected --tls-client-ca too");
  }
  if (options.reload_interval < absl::Milliseconds(10)) {
    return absl::InvalidArgumentError("--reload-interval: expected at least 0.01 seconds");
  }
  return CheckDuration("--reload-interval", options.reload_interval);
}

// Fields of which 0 means the default.
void ApplySeconds(double seconds, absl::Duration* option) {
  if (seconds != 0) *option = absl::Seconds(seconds);
}

void ApplyConnections(const config::ServerConfig& file, ConnectionOptions* options) {
  if (file.has_max_connection_age_seconds()) {
    options->max_age = absl::Seconds(file.max_connection_age_seconds());
  }
  ApplySeconds(file.max_connection_age_grace_seconds(), &options->max_age_grace);
  ApplySeconds(file.keepalive_time_seconds(), &options->keepalive_time);
  ApplySeconds(file.keepalive_timeout_seconds(), &options->keepalive_timeout);
  ApplySeconds(file.min_ping_interval_seconds(), &options->min_ping_interval);
  if (file.allow_compressed_requests()) options->compressed_requests = true;
}

void ApplyTls(const config::ServerConfig& file, TlsOptions* options) {
  if (!file.tls_cert().empty()) options->certificate_path = file.tls_cert();
  if (!file.tls_key().empty()) options->key_path = file.tls_key();
  if (!file.tls_client_ca().empty()) options->client_ca_path = file.tls_client_ca();
  if (file.tls_client_optional()) options->client_optional = true;
  if (file.metrics_tls()) options->metrics = true;
  ApplySeconds(file.reload_seconds(), &options->reload_interval);
}

void ApplyAccess(const config::ServerConfig& file, AccessOptions* options) {
  if (!file.access_config().empty()) options->config_path = file.access_config();
  if (file.allow_plaintext_tokens()) options->plaintext_tokens = true;
  ApplySeconds(file.reload_seconds(), &options->reload_interval);
}

// absl::Seconds may not be given what is no number.
absl::Status CheckFinite(const config::ServerConfig& file) {
  for (const double seconds :
       {file.drain_delay_seconds(), file.exit_timeout_seconds(), file.tuning_seconds(),
        file.repository_poll_seconds(), file.max_connection_age_seconds(),
        file.max_connection_age_grace_seconds(), file.keepalive_time_seconds(),
        file.keepalive_timeout_seconds(), file.min_ping_interval_seconds(),
        file.reload_seconds()}) {
    if (!std::isfinite(seconds)) {
      return absl::InvalidArgumentError("server config: expected finite seconds");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelControl> ParseModelControl(absl::string_view text) {
  if (text == "none") return ModelControl::kNone;
  if (text == "poll") return ModelControl::kPoll;
  if (text == "explicit") return ModelControl::kExplicit;
  return absl::InvalidArgumentError(absl::StrCat(
      "--model-control-mode: expected none, poll or explicit, got '", text.substr(0, 100), "'"));
}

absl::Status CheckServerOptions(const ServerOptions& options) {
  if (options.repository.paths.empty()) {
    return absl::InvalidArgumentError("--model-repository: expected a folder, got none");
  }
  if (options.address.empty()) {
    return absl::InvalidArgumentError("--address: expected an address to listen on, got none");
  }
  static const std::set<std::string> kLevels = {"debug", "info", "warning", "error"};
  if (kLevels.count(options.log_level) == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--log-level: expected debug, info, warning or error, got '", options.log_level, "'"));
  }
  if (!options.repository.startup_models.empty() &&
      options.repository.control != ModelControl::kExplicit) {
    return absl::InvalidArgumentError(
        "--load-model: expected --model-control-mode explicit beside it");
  }
  absl::Status status = CheckNumbers(options);
  if (status.ok())
    status = CheckDuration("--repository-poll-secs", options.repository.poll_interval);
  if (status.ok() && options.repository.poll_interval < absl::Milliseconds(10)) {
    status = absl::InvalidArgumentError("--repository-poll-secs: expected at least 0.01 seconds");
  }
  if (status.ok()) status = CheckConnections(options.connections);
  if (status.ok()) status = CheckTls(options.tls);
  if (status.ok()) status = CheckEndpoint("--otlp-endpoint", options.otlp_endpoint);
  if (status.ok() && !options.otlp_ca_path.empty() && options.otlp_endpoint.empty()) {
    status = absl::InvalidArgumentError("--otlp-ca: expected --otlp-endpoint beside it");
  }
  if (status.ok()) status = CheckDuration("--drain-delay", options.drain_delay);
  if (status.ok()) status = CheckDuration("--exit-timeout", options.exit_timeout);
  if (status.ok()) {
    status = CheckDuration("--tuning-seconds", absl::Seconds(options.engine.tuning_seconds));
  }
  return status;
}

absl::Status ApplyServerConfig(absl::string_view text, ServerOptions* options) {
  config::ServerConfig file;
  absl::Status status = ParseTextProto(text, "server config", &file);
  if (!status.ok()) return status;
  status = CheckFinite(file);
  if (!status.ok()) return status;

  const auto set = [](auto value, auto* option) {
    if (value != decltype(value)()) *option = value;
  };
  if (file.model_repository_size() > 0) {
    options->repository.paths.assign(file.model_repository().begin(),
                                     file.model_repository().end());
  }
  set(file.address(), &options->address);
  if (file.has_grpc_port()) options->grpc_port = file.grpc_port();
  if (file.has_http_port()) options->http_port = file.http_port();
  if (file.has_metrics_port()) options->metrics_port = file.metrics_port();
  set(file.strict_readiness(), &options->strict_readiness);
  if (file.drain_delay_seconds() != 0) {
    options->drain_delay = absl::Seconds(file.drain_delay_seconds());
  }
  if (file.exit_timeout_seconds() != 0) {
    options->exit_timeout = absl::Seconds(file.exit_timeout_seconds());
  }
  set(file.memory_limit_bytes(), &options->memory_limit_bytes);
  set(file.max_message_bytes(), &options->max_message_bytes);
  set(file.max_inflight_bytes(), &options->max_inflight_bytes);
  set(file.max_queue_requests(), &options->repository.max_queue_requests);
  set(file.max_concurrent_streams(), &options->max_streams_per_connection);
  set(file.max_http_connections(), &options->max_http_connections);
  set(file.http_threads(), &options->http_threads);
  set(file.core_slots(), &options->engine.core_slots);
  set(file.threads_per_slot(), &options->engine.threads_per_slot);
  if (file.providers_size() > 0) {
    options->engine.providers.assign(file.providers().begin(), file.providers().end());
  }
  set(file.max_device_bytes(), &options->engine.max_device_bytes);
  if (file.tf32()) options->engine.tf32 = true;
  if (file.no_device_fallback()) options->engine.device_fallback = false;
  options->engine.custom_op_libraries.assign(file.custom_op_library().begin(),
                                             file.custom_op_library().end());
  set(file.cache_dir(), &options->engine.cache_dir);
  set(file.max_cache_bytes(), &options->engine.max_cache_bytes);
  if (!file.model_control_mode().empty()) {
    const absl::StatusOr<ModelControl> control = ParseModelControl(file.model_control_mode());
    if (!control.ok()) return control.status();
    options->repository.control = *control;
  }
  if (file.repository_poll_seconds() != 0) {
    options->repository.poll_interval = absl::Seconds(file.repository_poll_seconds());
  }
  options->repository.startup_models.assign(file.load_model().begin(), file.load_model().end());
  if (file.has_tuning_seconds()) options->engine.tuning_seconds = file.tuning_seconds();
  if (file.deterministic()) options->engine.deterministic = true;
  set(file.shared_memory(), &options->shared_memory);
  set(file.max_shared_memory_regions(), &options->max_shared_memory_regions);
  set(file.max_shared_memory_bytes(), &options->max_shared_memory_bytes);
  set(file.access_log_rate(), &options->access_log_rate);
  set(file.otlp_endpoint(), &options->otlp_endpoint);
  set(file.otlp_ca(), &options->otlp_ca_path);
  set(file.trace_rate(), &options->trace_rate);
  set(file.max_trace_spans(), &options->max_trace_spans);
  set(file.log_level(), &options->log_level);
  ApplyConnections(file, &options->connections);
  ApplyTls(file, &options->tls);
  ApplyAccess(file, &options->access);
  set(file.model_digests(), &options->repository.digests_path);
  return absl::OkStatus();
}

}  // namespace inferd
