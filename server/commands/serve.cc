#include "server/commands/serve.h"

#include <malloc.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "config/server_options.h"
#include "engine/core/status_macros.h"
#include "engine/engine.h"
#include "server/commands/daemon.h"
#include "server/commands/engine_flags.h"
#include "server/commands/security_flags.h"
#include "server/metrics/log.h"

namespace inferd {
namespace {

constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

// The flags as given; what is not given keeps the config file's value or the default.
struct Flags {
  ServerOptions given;
  std::string config_path;
  std::string drain_delay;
  std::string exit_timeout;
  std::string model_control_mode = "none";
  std::string poll_interval;
  SecurityFlags security;
};

absl::Status ReadConfigFile(const std::string& path, ServerOptions* options) {
  std::ifstream file(path);
  if (!file) return absl::InvalidArgumentError(absl::StrCat("--config: cannot read '", path, "'"));
  std::stringstream text;
  text << file.rdbuf();
  return Annotate(ApplyServerConfig(text.str(), options), path);
}

// Defaults, then the config file, then the flags that were given.
absl::StatusOr<ServerOptions> Merge(const CLI::App& command, const Flags& flags) {
  ServerOptions options;
  if (!flags.config_path.empty()) RETURN_IF_ERROR(ReadConfigFile(flags.config_path, &options));
  const auto take = [&](const char* flag, const auto& given, auto* option) {
    if (command.count(flag) > 0) *option = given;
  };
  const ServerOptions& given = flags.given;
  take("--model-repository", given.repository.paths, &options.repository.paths);
  take("--address", given.address, &options.address);
  take("--grpc-port", given.grpc_port, &options.grpc_port);
  take("--http-port", given.http_port, &options.http_port);
  take("--metrics-port", given.metrics_port, &options.metrics_port);
  take("--strict-readiness", given.strict_readiness, &options.strict_readiness);
  take("--max-message-bytes", given.max_message_bytes, &options.max_message_bytes);
  take("--max-inflight-bytes", given.max_inflight_bytes, &options.max_inflight_bytes);
  take("--message-pool-bytes", given.message_pool_bytes, &options.message_pool_bytes);
  take("--max-concurrent-streams", given.max_streams_per_connection,
       &options.max_streams_per_connection);
  take("--max-http-connections", given.max_http_connections, &options.max_http_connections);
  take("--http-threads", given.http_threads, &options.http_threads);
  take("--max-queue-requests", given.repository.max_queue_requests,
       &options.repository.max_queue_requests);
  take("--load-threads", given.repository.load_threads, &options.repository.load_threads);
  take("--core-slots", given.engine.core_slots, &options.engine.core_slots);
  take("--threads-per-slot", given.engine.threads_per_slot, &options.engine.threads_per_slot);
  take("--provider", given.engine.providers, &options.engine.providers);
  take("--max-device-bytes", given.engine.max_device_bytes, &options.engine.max_device_bytes);
  take("--tf32", given.engine.tf32, &options.engine.tf32);
  take("--no-device-fallback", given.engine.device_fallback, &options.engine.device_fallback);
  take("--custom-op-library", given.engine.custom_op_libraries,
       &options.engine.custom_op_libraries);
  take("--cache-dir", given.engine.cache_dir, &options.engine.cache_dir);
  take("--max-cache-bytes", given.engine.max_cache_bytes, &options.engine.max_cache_bytes);
  take("--tuning-seconds", given.engine.tuning_seconds, &options.engine.tuning_seconds);
  take("--deterministic", given.engine.deterministic, &options.engine.deterministic);
  take("--shared-memory", given.shared_memory, &options.shared_memory);
  take("--max-shared-memory-regions", given.max_shared_memory_regions,
       &options.max_shared_memory_regions);
  take("--max-shared-memory-bytes", given.max_shared_memory_bytes,
       &options.max_shared_memory_bytes);
  take("--access-log-rate", given.access_log_rate, &options.access_log_rate);
  take("--otlp-endpoint", given.otlp_endpoint, &options.otlp_endpoint);
  take("--otlp-ca", given.otlp_ca_path, &options.otlp_ca_path);
  take("--trace-rate", given.trace_rate, &options.trace_rate);
  take("--max-trace-spans", given.max_trace_spans, &options.max_trace_spans);
  take("--log-level", given.log_level, &options.log_level);
  if (command.count("--drain-delay") > 0) {
    RETURN_IF_ERROR(ReadDuration("--drain-delay", flags.drain_delay, &options.drain_delay));
  }
  if (command.count("--exit-timeout") > 0) {
    RETURN_IF_ERROR(ReadDuration("--exit-timeout", flags.exit_timeout, &options.exit_timeout));
  }
  if (command.count("--model-control-mode") > 0) {
    ASSIGN_OR_RETURN(options.repository.control, ParseModelControl(flags.model_control_mode));
  }
  take("--load-model", given.repository.startup_models, &options.repository.startup_models);
  if (command.count("--repository-poll-secs") > 0) {
    RETURN_IF_ERROR(ReadDuration("--repository-poll-secs", flags.poll_interval,
                                 &options.repository.poll_interval));
  }
  RETURN_IF_ERROR(TakeSecurityFlags(command, flags.security, &options));
  RETURN_IF_ERROR(CheckServerOptions(options));
  RETURN_IF_ERROR(CheckEngineConfig(options.engine));
  return options;
}

// SIGTERM and SIGINT, blocked in this thread and all that it starts, so that Wait() gets them.
class ExitSignals {
 public:
  ExitSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  void Wait() {
    int signal;
    sigwait(&set_, &signal);
  }
  // Returns early when a further signal comes.
  void WaitFor(absl::Duration time) {
    const timespec wait = absl::ToTimespec(time);
    sigtimedwait(&set_, nullptr, &wait);
  }

 private:
  sigset_t set_;
};

void PrintLine(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

absl::Status ServeUntilSignal(const ServerOptions& options) {
  // Every arena of the allocator keeps a little of each load that passed through it; as many as
  // there are by default, eight a core, add up.
  mallopt(M_ARENA_MAX, AvailableCores() + 1);
  ExitSignals signals;
  // Clients that go away must not end the process.
  signal(SIGPIPE, SIG_IGN);
  ASSIGN_OR_RETURN(const std::unique_ptr<Daemon> daemon,
                   Daemon::Start(options, Compile, [] { PrintLine("ready"); }));
  PrintLine(absl::StrCat("listening ", daemon->Addresses()));
  RETURN_IF_ERROR(daemon->LoadModels());

  signals.Wait();
  LogInfo(absl::StrCat("draining: serving on for ", absl::FormatDuration(options.drain_delay),
                       ", then at most ", absl::FormatDuration(options.exit_timeout)));
  daemon->BeginDrain();
  signals.WaitFor(options.drain_delay);
  const absl::Status drained = daemon->FinishDrain();
  if (!drained.ok()) {
    // What still runs cannot be stopped, so there is no orderly way out.
    LogError(drained.message());
    std::_Exit(kFailed);
  }
  LogInfo("drained");
  return absl::OkStatus();
}

int Serve(const CLI::App& command, const Flags& flags) {
  const absl::StatusOr<ServerOptions> options = Merge(command, flags);
  if (!options.ok()) {
    std::fprintf(stderr, "inferd serve: %s\n", std::string(options.status().message()).c_str());
    return kBadUsage;
  }
  absl::Status status = SetLogLevel(options->log_level);
  if (status.ok()) status = ServeUntilSignal(*options);
  if (status.ok()) return 0;
  std::fprintf(stderr, "inferd serve: %s\n", std::string(status.message()).c_str());
  return kFailed;
}

void AddDeviceFlags(CLI::App& command, EngineConfig* given) {
  command
      .add_option("--max-device-bytes", given->max_device_bytes,
                  "Bytes that a model may take of a device's memory; 0 = all there is")
      ->check(CLI::NonNegativeNumber);
  command.add_flag("--tf32", given->tf32, "Devices may round what they multiply as floats to TF32");
  command.add_flag_callback(
      "--no-device-fallback", [given] { given->device_fallback = false; },
      "A model whose device is lost fails, instead of going on in host memory");
}

void AddPortFlags(CLI::App* command, Flags* flags) {
  ServerOptions& given = flags->given;
  command->add_option("--address", given.address, "Address to listen on")->capture_default_str();
  command->add_option("--grpc-port", given.grpc_port, "gRPC port; 0 = any free one")
      ->capture_default_str();
  command->add_option("--http-port", given.http_port, "HTTP port; 0 = any free one")
      ->capture_default_str();
  command->add_option("--metrics-port", given.metrics_port, "Metrics port; 0 = any free one")
      ->capture_default_str();
}

void AddLifecycleFlags(CLI::App* command, Flags* flags) {
  command->add_flag("--strict-readiness", flags->given.strict_readiness,
                    "Ready only when every model is, instead of at least one");
  command->add_option("--drain-delay", flags->drain_delay,
                      "After SIGTERM, serve on as not ready for so long [0]");
  command->add_option("--exit-timeout,--exit-timeout-secs", flags->exit_timeout,
                      "Then let requests in flight take at most so long [30]");
  command->add_option(
      "--model-control-mode", flags->model_control_mode,
      "Which models are served. none: those that are there at the start; poll: those "
      "that are there; explicit: those that RepositoryModelLoad asks for [none]");
  command
      ->add_option("--load-model", flags->given.repository.startup_models,
                   "With explicit control, a model to load at the start, * for all; may be given "
                   "again")
      ->allow_extra_args(false);
  command->add_option("--repository-poll-secs", flags->poll_interval,
                      "With poll, from one look at the repository to the next [2]");
  command->add_option("--load-threads", flags->given.repository.load_threads,
                      "Models loaded at once; 0 = up to 4");
  command->add_option("--log-level", flags->given.log_level, "debug, info, warning or error")
      ->capture_default_str();
}

void AddSharedMemoryFlags(CLI::App* command, Flags* flags) {
  ServerOptions& given = flags->given;
  command->add_flag("--shared-memory", given.shared_memory,
                    "Take and leave tensors in POSIX shared memory that clients register: they can "
                    "then reach every object of /dev/shm that this user can");
  command
      ->add_option("--max-shared-memory-regions", given.max_shared_memory_regions,
                   "Regions registered at once")
      ->capture_default_str();
  command
      ->add_option("--max-shared-memory-bytes", given.max_shared_memory_bytes,
                   "Bytes of these regions together")
      ->capture_default_str();
}

void AddTraceFlags(CLI::App* command, Flags* flags) {
  ServerOptions& given = flags->given;
  command
      ->add_option("--access-log-rate", given.access_log_rate,
                   "Each so many-th request gets a line in the log; 0 = none")
      ->capture_default_str();
  command->add_option("--otlp-endpoint", given.otlp_endpoint,
                      "HOST:PORT of an OpenTelemetry collector: traces go there, OTLP over gRPC");
  command->add_option("--otlp-ca", given.otlp_ca_path,
                      "PEM file of authorities: the collector must have a certificate of one, over "
                      "TLS");
  command
      ->add_option("--trace-rate", given.trace_rate,
                   "Of the requests that do not come sampled, each so many-th is traced")
      ->capture_default_str();
  command
      ->add_option("--max-trace-spans", given.max_trace_spans,
                   "Spans that wait to be sent; the oldest are dropped for new ones")
      ->capture_default_str();
}

void AddLimitFlags(CLI::App* command, Flags* flags) {
  ServerOptions& given = flags->given;
  command->add_option("--max-message-bytes", given.max_message_bytes, "Largest request and reply")
      ->capture_default_str();
  command
      ->add_option("--max-inflight-bytes", given.max_inflight_bytes,
                   "Memory of requests in flight over all models")
      ->capture_default_str();
  command
      ->add_option("--message-pool-bytes", given.message_pool_bytes,
                   "Memory kept in messages for the next request")
      ->capture_default_str();
  command
      ->add_option("--max-concurrent-streams", given.max_streams_per_connection,
                   "Requests at once on one connection")
      ->capture_default_str();
  command
      ->add_option("--max-http-connections", given.max_http_connections,
                   "Connections of the HTTP port")
      ->capture_default_str();
  command
      ->add_option("--http-threads", given.http_threads, "Threads that read, parse and write there")
      ->capture_default_str();
  command
      ->add_option("--max-queue-requests", given.repository.max_queue_requests,
                   "Requests that may queue for one model")
      ->capture_default_str();
  command->add_option("--core-slots", given.engine.core_slots,
                      "Executions at once; 0 = as many as there are cores");
  command
      ->add_option("--threads-per-slot", given.engine.threads_per_slot, "Threads of one execution")
      ->capture_default_str();
  command
      ->add_option("--provider", given.engine.providers,
                   "Who runs nodes, the first that can: cpu, portable, or a device such as cuda")
      ->capture_default_str();
  AddDeviceFlags(*command, &given.engine);
  AddCustomOpFlag(*command, &given.engine.custom_op_libraries);
  AddCacheFlag(*command, &given.engine.cache_dir);
  AddTuningFlags(*command, &given.engine.tuning_seconds, &given.engine.deterministic);
  command
      ->add_option("--max-cache-bytes", given.engine.max_cache_bytes,
                   "Bytes that folder may take; files not used for longest go")
      ->capture_default_str();
}

}  // namespace

void AddServeCommand(CLI::App& app, int* exit_code) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("serve", "Serve a model repository over gRPC and HTTP");
  command
      ->add_option("--model-repository,--model-store", flags->given.repository.paths,
                   "Folder with one folder a model; may be given again")
      ->allow_extra_args(false);
  command->add_option("--config", flags->config_path, "Server config file; flags win over it");
  AddPortFlags(command, flags.get());
  AddLifecycleFlags(command, flags.get());
  AddLimitFlags(command, flags.get());
  AddSharedMemoryFlags(command, flags.get());
  AddTraceFlags(command, flags.get());
  AddSecurityFlags(command, &flags->security);
  command->callback([command, flags, exit_code] { *exit_code = Serve(*command, *flags); });
}

}  // namespace inferd
