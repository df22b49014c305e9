#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/server_options.h"
#include "engine/core/mutex.h"
#include "engine/engine.h"
#include "server/access/access_control.h"
#include "server/http/http_server.h"
#include "server/http/server_routes.h"
#include "server/metrics/access_log.h"
#include "server/metrics/metrics_registry.h"
#include "server/model/memory_budget.h"
#include "server/repository/model_repository.h"
#include "server/rest/rest_call.h"
#include "server/rpc/grpc_server.h"
#include "server/rpc/inflight_bytes.h"
#include "server/rpc/otlp_exporter.h"
#include "server/rpc/serving_state.h"
#include "server/rpc/shared_memory_regions.h"
#include "server/scheduler/clock.h"
#include "server/security/certificate_watcher.h"
#include "server/tracing/span_queue.h"
#include "server/tracing/tracer.h"

namespace inferd {

// The serving process: core slots, repository, metrics and the three ports, wired together.
// Start, LoadModels, then BeginDrain and FinishDrain, each once and from one thread.
class Daemon {
 public:
  // Opens the ports. `on_ready` is called once, on any thread, when the server is ready to serve.
  static absl::StatusOr<std::unique_ptr<Daemon>> Start(const ServerOptions& options,
                                                       ModelRepository::CompileFunction compile,
                                                       std::function<void()> on_ready);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // "grpc=HOST:PORT http=HOST:PORT metrics=HOST:PORT".
  std::string Addresses() const;

  // Begins to load the models; returns before they are loaded.
  absl::Status LoadModels();

  // Not ready any more; requests are still served.
  void BeginDrain();
  // Refuses new calls, lets those in flight end, closes the gRPC port; HTTP stays until
  // destruction. DEADLINE_EXCEEDED when calls were still in flight after the exit timeout.
  absl::Status FinishDrain();

 private:
  Daemon(const ServerOptions& options, ModelRepository::CompileFunction compile,
         std::function<void()> on_ready);
  absl::Status OpenPorts();
  void AddProcessMetrics();
  // Begins to send traces, if there are to be any; adds their metrics.
  absl::Status StartExporter();
  // Says which devices there are and makes metrics of what they say.
  absl::Status OpenDevices();
  // Reads the certificates and access rules, if there are to be any; adds their metrics.
  absl::Status StartSecurity();
  HttpQuestions Questions() const;
  InferFeatures Features();
  // Tells watchers of health, and announces readiness the first time.
  void OnModelChanged();

  const ServerOptions options_;
  const std::function<void()> on_ready_;
  SystemClock clock_;
  MetricsRegistry metrics_;
  std::unique_ptr<DeviceMonitor> devices_;
  std::vector<DeviceStatistic> device_statistics_;  // for their names
  // After what tasks use until they end: it joins them.
  CoreSlots slots_;
  MemoryBudget memory_;
  InflightBytes inflight_;
  SharedMemoryRegions shared_memory_;
  AccessLog access_log_;
  SpanQueue spans_;
  // Null without an endpoint.
  const std::unique_ptr<Tracer> tracer_;
  std::unique_ptr<OtlpExporter> exporter_;
  ModelRepository repository_;
  ServingState state_;
  const RestSurroundings rest_;
  std::unique_ptr<CertificateWatcher> certificates_;  // null without TLS
  std::unique_ptr<AccessControl> access_;             // null: everybody may call
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<HttpServer> metrics_http_;

  mutable Mutex mutex_;
  std::unique_ptr<GrpcServer> grpc_ ABSL_GUARDED_BY(mutex_);
  bool announced_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace inferd
