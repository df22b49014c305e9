#include "server/metrics/metrics_registry.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <utility>

namespace inferd {

const char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

struct MetricsRegistry::Families {
  template <typename T>
  using Map = std::map<std::string, prometheus::Family<T>*>;

  Mutex mutex;
  Map<prometheus::Counter> counters ABSL_GUARDED_BY(mutex);
  Map<prometheus::Gauge> gauges ABSL_GUARDED_BY(mutex);
  Map<prometheus::Histogram> histograms ABSL_GUARDED_BY(mutex);
  // How often each series was added: a reloaded version shares those of the one that goes.
  std::map<const void*, int> holders ABSL_GUARDED_BY(mutex);

  template <typename T, typename Builder>
  static prometheus::Family<T>* Find(Map<T>* families, const Metric& metric, Builder builder,
                                     prometheus::Registry* registry) {
    prometheus::Family<T>*& family = (*families)[metric.name];
    if (family == nullptr) {
      family = &builder.Name(metric.name).Help(metric.help).Register(*registry);
    }
    return family;
  }

  template <typename T>
  T* Hold(T* series) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    ++holders[series];
    return series;
  }

  template <typename T>
  void Drop(const Map<T>& families, const Metric& metric, T* series)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const auto holder = holders.find(series);
    if (holder == holders.end() || --holder->second > 0) return;
    holders.erase(holder);
    const auto it = families.find(metric.name);
    if (it != families.end()) it->second->Remove(series);
  }
};

MetricsRegistry::MetricsRegistry()
    : registry_(std::make_unique<prometheus::Registry>()),
      families_(std::make_unique<Families>()) {}

MetricsRegistry::~MetricsRegistry() = default;

absl::Span<const double> MetricsRegistry::DurationBuckets() {
  static constexpr double kBounds[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                       0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                       1,      2.5,     5,      10,    30,     60};
  return kBounds;
}

absl::Span<const double> MetricsRegistry::RowBuckets() {
  static constexpr double kBounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
  return kBounds;
}

prometheus::Counter* MetricsRegistry::AddCounter(const Metric& metric, const Labels& labels) {
  MutexLock lock(&families_->mutex);
  auto* family =
      Families::Find(&families_->counters, metric, prometheus::BuildCounter(), registry_.get());
  return families_->Hold(&family->Add(labels));
}

prometheus::Gauge* MetricsRegistry::AddGauge(const Metric& metric, const Labels& labels) {
  MutexLock lock(&families_->mutex);
  auto* family =
      Families::Find(&families_->gauges, metric, prometheus::BuildGauge(), registry_.get());
  return families_->Hold(&family->Add(labels));
}

prometheus::Histogram* MetricsRegistry::AddHistogram(const Metric& metric, const Labels& labels,
                                                     absl::Span<const double> buckets) {
  MutexLock lock(&families_->mutex);
  auto* family =
      Families::Find(&families_->histograms, metric, prometheus::BuildHistogram(), registry_.get());
  const prometheus::Histogram::BucketBoundaries bounds(buckets.begin(), buckets.end());
  return families_->Hold(&family->Add(labels, bounds));
}

void MetricsRegistry::Remove(const Metric& metric, prometheus::Counter* counter) {
  MutexLock lock(&families_->mutex);
  families_->Drop(families_->counters, metric, counter);
}

void MetricsRegistry::Remove(const Metric& metric, prometheus::Gauge* gauge) {
  MutexLock lock(&families_->mutex);
  families_->Drop(families_->gauges, metric, gauge);
}

void MetricsRegistry::Remove(const Metric& metric, prometheus::Histogram* histogram) {
  MutexLock lock(&families_->mutex);
  families_->Drop(families_->histograms, metric, histogram);
}

void MetricsRegistry::AddProcessGauge(const Metric& metric, std::function<double()> read,
                                      const Labels& labels) {
  prometheus::Gauge* gauge = AddGauge(metric, labels);
  MutexLock lock(&mutex_);
  process_gauges_.push_back({gauge, std::move(read)});
}

std::string MetricsRegistry::Text() const {
  std::vector<ProcessGauge> gauges;
  {
    MutexLock lock(&mutex_);
    gauges = process_gauges_;
  }
  for (const ProcessGauge& gauge : gauges) gauge.gauge->Set(gauge.read());
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace inferd
