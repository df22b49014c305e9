#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "engine/core/mutex.h"
#include "server/metrics/catalogue.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace inferd {

// The server's metrics: series are added by name and labels, removed with what they describe, and
// written in Prometheus's text format. Outlives everything that holds its series. Thread-safe.
class MetricsRegistry {
 public:
  using Labels = std::map<std::string, std::string>;
  // Upper bounds of a histogram's buckets.
  static absl::Span<const double> DurationBuckets();  // 100 us to 60 s
  static absl::Span<const double> RowBuckets();       // powers of two

  MetricsRegistry();
  ~MetricsRegistry();
  MetricsRegistry(const MetricsRegistry&) = delete;
  MetricsRegistry& operator=(const MetricsRegistry&) = delete;

  // The series with these labels; the same object when asked again. Valid until removed as often
  // as it was added.
  prometheus::Counter* AddCounter(const Metric& metric, const Labels& labels);
  prometheus::Gauge* AddGauge(const Metric& metric, const Labels& labels);
  prometheus::Histogram* AddHistogram(const Metric& metric, const Labels& labels,
                                      absl::Span<const double> buckets);
  void Remove(const Metric& metric, prometheus::Counter* counter);
  void Remove(const Metric& metric, prometheus::Gauge* gauge);
  void Remove(const Metric& metric, prometheus::Histogram* histogram);

  // A gauge of the process whose value is asked for at every scrape. `read` must stay callable for
  // the registry's lifetime and take no lock that is held while series are added.
  void AddProcessGauge(const Metric& metric, std::function<double()> read,
                       const Labels& labels = {});

  // All series as Prometheus's text format 0.0.4.
  std::string Text() const;

 private:
  struct Families;
  struct ProcessGauge {
    prometheus::Gauge* gauge;
    std::function<double()> read;
  };

  const std::unique_ptr<prometheus::Registry> registry_;
  const std::unique_ptr<Families> families_;
  mutable Mutex mutex_;
  std::vector<ProcessGauge> process_gauges_ ABSL_GUARDED_BY(mutex_);
};

// "text/plain; version=0.0.4; charset=utf-8", for the HTTP reply.
extern const char kMetricsContentType[];

}  // namespace inferd
