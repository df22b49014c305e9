#include "server/metrics/model_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

namespace inferd {
namespace {

double Micros(absl::Duration duration) { return absl::ToDoubleMicroseconds(duration); }

}  // namespace

ModelMetrics::ModelMetrics(MetricsRegistry* registry, const std::string& model,
                           const std::string& version)
    : registry_(registry),
      labels_{{"model", model}, {"version", version}},
      success_(Counter(metrics::kSuccess, labels_)),
      inferences_(Counter(metrics::kInferences, labels_)),
      executions_(Counter(metrics::kExecutions, labels_)),
      request_us_(Counter(metrics::kRequestUs, labels_)),
      queue_us_(Counter(metrics::kQueueUs, labels_)),
      input_us_(Counter(metrics::kInputUs, labels_)),
      infer_us_(Counter(metrics::kInferUs, labels_)),
      output_us_(Counter(metrics::kOutputUs, labels_)),
      pending_(Gauge(metrics::kPending)),
      load_secs_(Gauge(metrics::kLoadSecs)),
      request_seconds_(Histogram(metrics::kRequestSeconds, MetricsRegistry::DurationBuckets())),
      queue_seconds_(Histogram(metrics::kQueueSeconds, MetricsRegistry::DurationBuckets())),
      compute_seconds_(Histogram(metrics::kComputeSeconds, MetricsRegistry::DurationBuckets())),
      batch_rows_(Histogram(metrics::kBatchRows, MetricsRegistry::RowBuckets())),
      tuning_seconds_(Counter(metrics::kTuningSeconds, labels_)),
      plan_swaps_(Counter(metrics::kPlanSwaps, labels_)),
      load_seconds_(Gauge(metrics::kLoadSeconds)),
      weight_bytes_(Gauge(metrics::kWeightBytes)),
      arena_bytes_(Gauge(metrics::kArenaBytes)),
      workspace_bytes_(Gauge(metrics::kWorkspaceBytes)),
      queue_requests_(Gauge(metrics::kQueueRequests)),
      queue_limit_(Gauge(metrics::kQueueLimit)),
      max_batch_(Gauge(metrics::kMaxBatch)) {
  static constexpr const char* kReasonNames[kReasons] = {"REJECTED", "CANCELED", "BACKEND",
                                                         "OTHER"};
  for (int i = 0; i < kReasons; ++i) {
    MetricsRegistry::Labels labels = labels_;
    labels["reason"] = kReasonNames[i];
    failures_[i] = Counter(metrics::kFailure, std::move(labels));
  }
}

ModelMetrics::~ModelMetrics() {
  for (const auto& remove : removals_) remove();
}

prometheus::Counter* ModelMetrics::Counter(const Metric& metric, MetricsRegistry::Labels labels) {
  prometheus::Counter* counter = registry_->AddCounter(metric, labels);
  removals_.push_back([=, this, &metric] { registry_->Remove(metric, counter); });
  return counter;
}

prometheus::Gauge* ModelMetrics::Gauge(const Metric& metric) {
  prometheus::Gauge* gauge = registry_->AddGauge(metric, labels_);
  removals_.push_back([=, this, &metric] { registry_->Remove(metric, gauge); });
  return gauge;
}

prometheus::Histogram* ModelMetrics::Histogram(const Metric& metric,
                                               absl::Span<const double> buckets) {
  prometheus::Histogram* histogram = registry_->AddHistogram(metric, labels_, buckets);
  removals_.push_back([=, this, &metric] { registry_->Remove(metric, histogram); });
  return histogram;
}

ModelMetrics::Reason ModelMetrics::ReasonOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kCancelled:
      return kCanceled;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnavailable:
      return kRejected;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss:
      return kBackend;
    default:
      return kOther;
  }
}

void ModelMetrics::CountSuccess(const Request& request) {
  success_->Increment();
  inferences_->Increment(static_cast<double>(request.rows));
  request_us_->Increment(Micros(request.total));
  queue_us_->Increment(Micros(request.queue));
  input_us_->Increment(Micros(request.compute_input));
  infer_us_->Increment(Micros(request.compute_infer));
  output_us_->Increment(Micros(request.compute_output));
  request_seconds_->Observe(absl::ToDoubleSeconds(request.total));
  queue_seconds_->Observe(absl::ToDoubleSeconds(request.queue));

  MutexLock lock(&mutex_);
  statistics_.last_inference = request.finished;
  statistics_.inference_count += request.rows;
  statistics_.success.Add(request.total);
  statistics_.queue.Add(request.queue);
  statistics_.compute_input.Add(request.compute_input);
  statistics_.compute_infer.Add(request.compute_infer);
  statistics_.compute_output.Add(request.compute_output);
}

void ModelMetrics::CountFailure(const absl::Status& status, absl::Duration total) {
  failures_[ReasonOf(status)]->Increment();
  MutexLock lock(&mutex_);
  statistics_.fail.Add(total);
}

void ModelMetrics::CountExecution(int64_t rows, absl::Duration input, absl::Duration infer) {
  executions_->Increment();
  compute_seconds_->Observe(absl::ToDoubleSeconds(input + infer));
  batch_rows_->Observe(static_cast<double>(rows));

  MutexLock lock(&mutex_);
  ++statistics_.execution_count;
  BatchStatistics& batch = statistics_.batches[rows];
  batch.compute_input.Add(input);
  batch.compute_infer.Add(infer);
}

void ModelMetrics::CountOutput(int64_t rows, absl::Duration output) {
  MutexLock lock(&mutex_);
  statistics_.batches[rows].compute_output.Add(output);
}

void ModelMetrics::CountTuning(absl::Duration time, int swapped_plans) {
  tuning_seconds_->Increment(absl::ToDoubleSeconds(time));
  plan_swaps_->Increment(swapped_plans);
}

void ModelMetrics::SetLoadDuration(absl::Duration duration) {
  load_secs_->Set(absl::ToDoubleSeconds(duration));
  load_seconds_->Set(absl::ToDoubleSeconds(duration));
}

void ModelMetrics::SetMemory(int64_t weight_bytes, int64_t arena_bytes, int64_t workspace_bytes) {
  weight_bytes_->Set(static_cast<double>(weight_bytes));
  arena_bytes_->Set(static_cast<double>(arena_bytes));
  workspace_bytes_->Set(static_cast<double>(workspace_bytes));
}

void ModelMetrics::SetQueue(int64_t requests) {
  pending_->Set(static_cast<double>(requests));
  queue_requests_->Set(static_cast<double>(requests));
}

void ModelMetrics::SetLimits(int64_t queue_requests, int64_t batch_rows) {
  queue_limit_->Set(static_cast<double>(queue_requests));
  max_batch_->Set(static_cast<double>(batch_rows));
}

ModelStatistics ModelMetrics::Snapshot() const {
  MutexLock lock(&mutex_);
  return statistics_;
}

}  // namespace inferd
