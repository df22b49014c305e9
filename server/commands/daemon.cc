#include "server/commands/daemon.h"

#include <prometheus/gauge.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "engine/core/status_macros.h"
#include "engine/engine.h"
#include "server/commands/memory_limit.h"
#include "server/metrics/log.h"
#include "server/rest/rest_routes.h"
#include "server/rpc/health_calls.h"
#include "server/security/tls_material.h"

namespace inferd {
namespace {

// Of the memory there is, requests in flight may take one part in so many: a request's rows are
// copied when they are joined, computed and encoded. gRPC's receive buffers may take as much as a
// quarter.
constexpr int64_t kInflightShare = 6;
constexpr int64_t kReceiveShare = 4;
// After the last call ended: for replies under way and connections to close.
constexpr absl::Duration kCloseGrace = absl::Seconds(2);

int64_t InflightLimit(const ServerOptions& options, int64_t memory_bytes) {
  const int64_t share = memory_bytes / kInflightShare;
  if (share >= options.max_inflight_bytes) return options.max_inflight_bytes;
  LogWarning(absl::StrCat("requests in flight may take ", share, " bytes instead of ",
                          options.max_inflight_bytes, ": the memory limit is ", memory_bytes));
  return share;
}

// What clients get must be tensors.
EngineConfig ServingConfig(EngineConfig engine) {
  engine.maps_as_scores = true;
  return engine;
}

int SlotCount(const EngineConfig& engine) {
  return engine.core_slots > 0 ? engine.core_slots : AvailableCores();
}

// Of the process's pages in memory, all or only those that the kernel cannot drop: what files hold
// is theirs.
int64_t ResidentBytes(bool with_files) {
  std::ifstream file("/proc/self/statm");
  int64_t total_pages = 0, resident_pages = 0, file_pages = 0;
  file >> total_pages >> resident_pages >> file_pages;
  return (resident_pages - (with_files ? 0 : file_pages)) * sysconf(_SC_PAGESIZE);
}

int64_t HeldBytes() { return ResidentBytes(/*with_files=*/false); }

int64_t MemoryLimit(const ServerOptions& options) {
  return options.memory_limit_bytes > 0 ? options.memory_limit_bytes : AvailableMemoryBytes();
}

GrpcServerOptions GrpcOptions(const ServerOptions& options) {
  GrpcServerOptions grpc;
  grpc.address = options.address;
  grpc.port = options.grpc_port;
  grpc.max_message_bytes = options.max_message_bytes;
  grpc.max_streams_per_connection = options.max_streams_per_connection;
  grpc.connections = options.connections;
  grpc.message_pool_bytes = options.message_pool_bytes;
  grpc.receive_buffer_bytes =
      std::min(grpc.receive_buffer_bytes, MemoryLimit(options) / kReceiveShare);
  return grpc;
}

std::unique_ptr<Tracer> MakeTracer(const ServerOptions& options, SpanQueue* spans) {
  if (options.otlp_endpoint.empty()) return nullptr;
  TraceSettings settings;
  settings.timestamps = true;
  settings.rate = options.trace_rate;
  return std::make_unique<Tracer>(settings, absl::StrJoin(options.engine.providers, ","), spans);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(const ServerOptions& options,
                                                      ModelRepository::CompileFunction compile,
                                                      std::function<void()> on_ready) {
  std::unique_ptr<Daemon> daemon(new Daemon(options, std::move(compile), std::move(on_ready)));
  RETURN_IF_ERROR(daemon->OpenDevices());
  RETURN_IF_ERROR(daemon->StartSecurity());
  RETURN_IF_ERROR(daemon->StartExporter());
  RETURN_IF_ERROR(daemon->OpenPorts());
  return daemon;
}

Daemon::Daemon(const ServerOptions& options, ModelRepository::CompileFunction compile,
               std::function<void()> on_ready)
    : options_(options),
      on_ready_(std::move(on_ready)),
      slots_(SlotCount(options.engine), options.engine.threads_per_slot),
      memory_(MemoryLimit(options), HeldBytes),
      inflight_(InflightLimit(options, MemoryLimit(options))),
      shared_memory_(options.max_shared_memory_regions, options.max_shared_memory_bytes),
      access_log_(std::max<int64_t>(options.access_log_rate, 1)),
      spans_(options.max_trace_spans),
      tracer_(MakeTracer(options, &spans_)),
      repository_(options.repository, ServingConfig(options.engine),
                  {&slots_, &clock_, &metrics_, &memory_}, std::move(compile)),
      state_(&repository_, options.strict_readiness),
      rest_{&repository_, &state_, &inflight_, options.max_message_bytes, Features()} {
  repository_.SetStateListener([this](const std::string&) { OnModelChanged(); });
  AddProcessMetrics();
}

Daemon::~Daemon() {
  // Loads may still be under way and report: the port goes first, under the lock.
  std::unique_ptr<GrpcServer> grpc;
  {
    MutexLock lock(&mutex_);
    grpc = std::move(grpc_);
    announced_ = true;
  }
  grpc.reset();
  // What came by HTTP still uses what goes now.
  state_.RefuseCalls();
  state_.WaitIdle(options_.exit_timeout);
}

absl::Status Daemon::OpenDevices() {
  ASSIGN_OR_RETURN(devices_, DeviceMonitor::Open(options_.engine));
  for (const std::string& line : devices_->Descriptions()) {
    LogInfo(absl::StrCat("device of provider ", line));
  }
  if (devices_->count() > 0) shared_memory_.UseDevices(devices_.get());
  device_statistics_ = devices_->Statistics();
  for (const DeviceStatistic& statistic : device_statistics_) {
    // The names are the provider's own.
    metrics_.AddProcessGauge({statistic.name.c_str(), statistic.help.c_str()},
                             [this, &statistic] { return devices_->ValueOf(statistic); },
                             {statistic.labels.begin(), statistic.labels.end()});
  }
  return absl::OkStatus();
}

absl::Status Daemon::StartExporter() {
  if (options_.otlp_endpoint.empty()) return absl::OkStatus();
  OtlpCollector collector{options_.otlp_endpoint, ""};
  if (!options_.otlp_ca_path.empty()) {
    ASSIGN_OR_RETURN(collector.authorities, ReadAuthorities(options_.otlp_ca_path));
  }
  const absl::string_view build = EngineBuildId();
  exporter_ = std::make_unique<OtlpExporter>(
      collector,
      std::vector<std::pair<std::string, std::string>>{
          {"service.name", "inferd"}, {"service.version", std::string(build.data(), build.size())}},
      &spans_);
  metrics_.AddProcessGauge(metrics::kTraceSpans, [this] { return double(exporter_->exported()); });
  metrics_.AddProcessGauge(metrics::kTraceDrops, [this] { return double(spans_.dropped()); });
  metrics_.AddProcessGauge(metrics::kTraceQueue, [this] { return double(spans_.size()); });
  return absl::OkStatus();
}

absl::Status Daemon::StartSecurity() {
  if (options_.tls.enabled()) {
    ASSIGN_OR_RETURN(certificates_, CertificateWatcher::Start(options_.tls));
  }
  if (options_.access.enabled()) {
    ASSIGN_OR_RETURN(access_, AccessControl::Start(options_.access));
  }
  metrics_.AddProcessGauge(metrics::kAccessReloadFailing,
                           [this] { return access_ != nullptr && access_->failing() ? 1.0 : 0.0; });
  // Also without TLS, so that alerts find them.
  metrics_.AddProcessGauge(metrics::kTlsExpirySeconds, [this] {
    if (certificates_ == nullptr) return std::numeric_limits<double>::infinity();
    return absl::ToDoubleSeconds(certificates_->current()->expires - absl::Now());
  });
  metrics_.AddProcessGauge(metrics::kTlsReloadFailing, [this] {
    return certificates_ != nullptr && certificates_->failing() ? 1.0 : 0.0;
  });
  return absl::OkStatus();
}

absl::Status Daemon::OpenPorts() {
  HttpRoutes health;
  AddHealthRoutes(Questions(), &health);
  HttpServerOptions http;
  http.address = options_.address;
  http.port = options_.http_port;
  http.threads = options_.http_threads;
  http.max_connections = options_.max_http_connections;
  http.max_body_bytes = options_.max_message_bytes;
  http.inflight = &inflight_;
  http.certificates = certificates_.get();
  http.access = access_.get();
  http.access_log = Features().access_log;
  HttpRoutes rest_routes = health;
  AddRestRoutes(rest_, &rest_routes);
  ASSIGN_OR_RETURN(http_, HttpServer::Start(http, std::move(rest_routes)));

  // After the port whose connections it counts.
  HttpServerOptions metrics_http;
  metrics_http.address = options_.address;
  metrics_http.port = options_.metrics_port;
  if (options_.tls.metrics) metrics_http.certificates = certificates_.get();
  AddMetricsRoute(Questions(), &health);
  ASSIGN_OR_RETURN(metrics_http_, HttpServer::Start(metrics_http, std::move(health)));

  MutexLock lock(&mutex_);
  GrpcServerOptions grpc = GrpcOptions(options_);
  grpc.certificates = certificates_.get();
  grpc.access = access_.get();
  ASSIGN_OR_RETURN(grpc_, GrpcServer::Start(grpc, &repository_, &state_, &inflight_, Features()));
  return absl::OkStatus();
}

std::string Daemon::Addresses() const {
  const auto at = [this](int port) { return HostPort(options_.address, port); };
  MutexLock lock(&mutex_);
  return absl::StrCat("grpc=", at(grpc_->port()), " http=", at(http_->port()),
                      " metrics=", at(metrics_http_->port()));
}

absl::Status Daemon::LoadModels() {
  RETURN_IF_ERROR(repository_.Start());
  // Where nothing is loaded, nothing reports.
  OnModelChanged();
  return absl::OkStatus();
}

void Daemon::BeginDrain() {
  state_.BeginDrain();
  MutexLock lock(&mutex_);
  announced_ = true;
  grpc_->RefreshHealth();
}

absl::Status Daemon::FinishDrain() {
  state_.RefuseCalls();
  const bool idle = state_.WaitIdle(options_.exit_timeout);
  if (!idle) {
    return absl::DeadlineExceededError(
        absl::StrCat(state_.calls(), " requests were still in flight after the exit timeout of ",
                     absl::FormatDuration(options_.exit_timeout)));
  }
  MutexLock lock(&mutex_);
  grpc_->Shutdown(kCloseGrace);
  return absl::OkStatus();
}

void Daemon::OnModelChanged() {
  bool announce = false;
  {
    MutexLock lock(&mutex_);
    if (grpc_ != nullptr) grpc_->RefreshHealth();
    if (!announced_ && state_.IsReady()) announce = announced_ = true;
  }
  if (announce) on_ready_();
}

InferFeatures Daemon::Features() {
  InferFeatures features;
  if (options_.shared_memory) features.shared_memory = &shared_memory_;
  features.tracer = tracer_.get();
  if (options_.access_log_rate > 0) features.access_log = &access_log_;
  return features;
}

HttpQuestions Daemon::Questions() const {
  HttpQuestions questions;
  questions.is_ready = [this] { return state_.IsReady(); };
  questions.is_model_ready = [this](const std::string& model,
                                    const std::string& version) -> absl::StatusOr<bool> {
    inference::ModelReadyRequest request;
    inference::ModelReadyResponse response;
    request.set_name(model);
    request.set_version(version);
    RETURN_IF_ERROR(ModelReady(state_, repository_, request, &response));
    return response.ready();
  };
  questions.metrics_text = [this] {
    repository_.RefreshMetrics();
    return metrics_.Text();
  };
  questions.metrics_content_type = kMetricsContentType;
  return questions;
}

void Daemon::AddProcessMetrics() {
  metrics_.AddProcessGauge(metrics::kCoreSlots, [this] { return double(slots_.count()); });
  metrics_.AddProcessGauge(metrics::kIdleSlots, [this] { return double(slots_.idle()); });
  metrics_.AddProcessGauge(metrics::kWaitingTasks, [this] { return double(slots_.waiting()); });
  metrics_.AddProcessGauge(metrics::kInflightBytes, [this] { return double(inflight_.used()); });
  metrics_.AddProcessGauge(metrics::kInflightLimit, [this] { return double(inflight_.limit()); });
  metrics_.AddProcessGauge(metrics::kHttpConnections,
                           [this] { return double(http_->connections()); });
  metrics_.AddProcessGauge(metrics::kHttpLimit,
                           [this] { return double(options_.max_http_connections); });
  metrics_.AddProcessGauge(metrics::kSharedRegions,
                           [this] { return double(shared_memory_.count()); });
  metrics_.AddProcessGauge(metrics::kSharedBytes,
                           [this] { return double(shared_memory_.bytes()); });
  metrics_.AddProcessGauge(metrics::kResidentBytes,
                           [] { return double(ResidentBytes(/*with_files=*/true)); });
  metrics_.AddProcessGauge(metrics::kMemoryUsed, [] { return double(HeldBytes()); });
  metrics_.AddProcessGauge(metrics::kMemoryLimit, [this] { return double(memory_.cap_bytes()); });
  const absl::string_view build = EngineBuildId();
  metrics_.AddGauge(metrics::kBuildInfo, {{"version", std::string(build.data(), build.size())}})
      ->Set(1);
}

}  // namespace inferd
