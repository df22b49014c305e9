#include "server/commands/security_flags.h"

#include <CLI/CLI.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

// A flag whose value is a duration.
struct DurationFlag {
  const char* flag;
  const std::string* text;
  absl::Duration* option;
};

absl::Status TakeDurations(const CLI::App& command, absl::Span<const DurationFlag> flags) {
  for (const DurationFlag& flag : flags) {
    if (command.count(flag.flag) == 0) continue;
    RETURN_IF_ERROR(ReadDuration(flag.flag, *flag.text, flag.option));
  }
  return absl::OkStatus();
}

void AddFileFlags(CLI::App* command, SecurityFlags* flags) {
  command->add_option("--tls-cert", flags->tls.certificate_path,
                      "PEM file of the certificate to present, followed by those above it");
  command->add_option("--tls-key", flags->tls.key_path, "PEM file of its private key");
  command->add_option("--tls-client-ca", flags->tls.client_ca_path,
                      "PEM file of authorities; clients must show a certificate of one");
  command->add_flag("--tls-client-optional", flags->tls.client_optional,
                    "Clients may also come without a certificate");
  command->add_flag("--metrics-tls", flags->tls.metrics,
                    "TLS on the metrics port, too, where health probes usually ask");
  command->add_option("--access-config", flags->access.config_path,
                      "File that says who may do what; without it everybody may do everything");
  command->add_flag("--allow-plaintext-tokens", flags->access.plaintext_tokens,
                    "Take tokens over connections without TLS");
  command->add_option("--memory-limit-bytes", flags->memory_limit_bytes,
                      "What the process may hold; models that do not fit are refused. 0 = what the "
                      "cgroup has");
  command->add_option("--model-digests", flags->model_digests,
                      "File as sha256sum prints it: only versions whose files it lists are loaded");
  command->add_option("--reload-interval", flags->reload_interval,
                      "From one look at these files to the next [5]");
}

absl::Status TakeFileFlags(const CLI::App& command, const SecurityFlags& flags,
                           ServerOptions* options) {
  const auto take = [&](const char* flag, const auto& given, auto* option) {
    if (command.count(flag) > 0) *option = given;
  };
  take("--tls-cert", flags.tls.certificate_path, &options->tls.certificate_path);
  take("--tls-key", flags.tls.key_path, &options->tls.key_path);
  take("--tls-client-ca", flags.tls.client_ca_path, &options->tls.client_ca_path);
  take("--tls-client-optional", flags.tls.client_optional, &options->tls.client_optional);
  take("--memory-limit-bytes", flags.memory_limit_bytes, &options->memory_limit_bytes);
  take("--model-digests", flags.model_digests, &options->repository.digests_path);
  take("--metrics-tls", flags.tls.metrics, &options->tls.metrics);
  take("--access-config", flags.access.config_path, &options->access.config_path);
  take("--allow-plaintext-tokens", flags.access.plaintext_tokens,
       &options->access.plaintext_tokens);
  RETURN_IF_ERROR(TakeDurations(
      command, {{"--reload-interval", &flags.reload_interval, &options->tls.reload_interval}}));
  options->access.reload_interval = options->tls.reload_interval;
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadDuration(const char* flag, const std::string& text, absl::Duration* duration) {
  double seconds;
  if (absl::SimpleAtod(text, &seconds)) {
    *duration = absl::Seconds(seconds);
    return absl::OkStatus();
  }
  if (absl::ParseDuration(text, duration)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(flag, ": expected seconds or a duration such as 500ms, got '", text, "'"));
}

void AddSecurityFlags(CLI::App* command, SecurityFlags* flags) {
  command->add_option("--max-connection-age", flags->max_age,
                      "Then a gRPC connection takes no more calls; 0 = never [30m]");
  command->add_option("--max-connection-age-grace", flags->max_age_grace,
                      "What its calls in flight then have to end [5m]");
  command->add_option("--keepalive-time", flags->keepalive_time,
                      "Without traffic for so long, a client is asked whether it lives [60]");
  command->add_option("--keepalive-timeout", flags->keepalive_timeout,
                      "What it has to answer [20]");
  command->add_option("--min-ping-interval", flags->min_ping_interval,
                      "Clients that ping more often are sent away [5]");
  command->add_flag("--allow-compressed-requests", flags->compressed_requests,
                    "Take compressed requests; expanded they are at most --max-message-bytes");
  AddFileFlags(command, flags);
}

absl::Status TakeSecurityFlags(const CLI::App& command, const SecurityFlags& flags,
                               ServerOptions* options) {
  ConnectionOptions& connections = options->connections;
  RETURN_IF_ERROR(TakeDurations(
      command,
      {{"--max-connection-age", &flags.max_age, &connections.max_age},
       {"--max-connection-age-grace", &flags.max_age_grace, &connections.max_age_grace},
       {"--keepalive-time", &flags.keepalive_time, &connections.keepalive_time},
       {"--keepalive-timeout", &flags.keepalive_timeout, &connections.keepalive_timeout},
       {"--min-ping-interval", &flags.min_ping_interval, &connections.min_ping_interval}}));
  if (flags.compressed_requests) connections.compressed_requests = true;
  return TakeFileFlags(command, flags, options);
}

}  // namespace inferd
