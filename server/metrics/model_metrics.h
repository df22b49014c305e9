#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/core/mutex.h"
#include "server/metrics/metrics_registry.h"
#include "server/metrics/model_statistics.h"

namespace inferd {

// Everything counted of one model version: its Prometheus series, which live and go with this
// object, and the statistics that the RPC reports. Owned by the served model and its batcher.
// Thread-safe; its lock is this model's alone.
class ModelMetrics {
 public:
  // What one request cost.
  struct Request {
    int64_t rows = 1;
    absl::Time finished;
    absl::Duration total;  // from the server's first sight of it
    absl::Duration queue;
    absl::Duration compute_input;
    absl::Duration compute_infer;
    absl::Duration compute_output;
  };

  // `registry` outlives this object.
  ModelMetrics(MetricsRegistry* registry, const std::string& model, const std::string& version);
  ~ModelMetrics();
  ModelMetrics(const ModelMetrics&) = delete;
  ModelMetrics& operator=(const ModelMetrics&) = delete;

  // A request answered without an error; called for each request of a batch.
  void CountSuccess(const Request& request);
  // A request answered with `status`, after `total`.
  void CountFailure(const absl::Status& status, absl::Duration total);
  // One execution of `rows` rows; its outputs are counted later, because the first replies leave
  // before the last is encoded.
  void CountExecution(int64_t rows, absl::Duration input, absl::Duration infer);
  void CountOutput(int64_t rows, absl::Duration output);

  // A round of measuring kernels, and how many plans it replaced.
  void CountTuning(absl::Duration time, int swapped_plans);
  void SetLoadDuration(absl::Duration duration);
  void SetMemory(int64_t weight_bytes, int64_t arena_bytes, int64_t workspace_bytes);
  void SetQueue(int64_t requests);
  void SetLimits(int64_t queue_requests, int64_t batch_rows);

  ModelStatistics Snapshot() const;

 private:
  // The values of the label `reason`.
  enum Reason { kRejected, kCanceled, kBackend, kOther, kReasons };
  static Reason ReasonOf(const absl::Status& status);

  prometheus::Counter* Counter(const Metric& metric, MetricsRegistry::Labels labels);
  prometheus::Gauge* Gauge(const Metric& metric);
  prometheus::Histogram* Histogram(const Metric& metric, absl::Span<const double> buckets);

  MetricsRegistry* const registry_;
  const MetricsRegistry::Labels labels_;
  std::vector<std::function<void()>> removals_;

  prometheus::Counter* const success_;
  prometheus::Counter* failures_[kReasons];
  prometheus::Counter* const inferences_;
  prometheus::Counter* const executions_;
  prometheus::Counter* const request_us_;
  prometheus::Counter* const queue_us_;
  prometheus::Counter* const input_us_;
  prometheus::Counter* const infer_us_;
  prometheus::Counter* const output_us_;
  prometheus::Gauge* const pending_;
  prometheus::Gauge* const load_secs_;
  prometheus::Histogram* const request_seconds_;
  prometheus::Histogram* const queue_seconds_;
  prometheus::Histogram* const compute_seconds_;
  prometheus::Histogram* const batch_rows_;
  prometheus::Counter* const tuning_seconds_;
  prometheus::Counter* const plan_swaps_;
  prometheus::Gauge* const load_seconds_;
  prometheus::Gauge* const weight_bytes_;
  prometheus::Gauge* const arena_bytes_;
  prometheus::Gauge* const workspace_bytes_;
  prometheus::Gauge* const queue_requests_;
  prometheus::Gauge* const queue_limit_;
  prometheus::Gauge* const max_batch_;

  mutable Mutex mutex_;
  ModelStatistics statistics_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace inferd
