#include "server/metrics/model_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace inferd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ModelMetrics, CreatesEverySeriesAtZero) {
  MetricsRegistry registry;
  const ModelMetrics metrics(&registry, "m", "3");
  const std::string text = registry.Text();
  EXPECT_THAT(text, HasSubstr("nv_inference_request_success{model=\"m\",version=\"3\"} 0"));
  for (const char* reason : {"REJECTED", "CANCELED", "BACKEND", "OTHER"}) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("nv_inference_request_failure{model=\"m\",reason=\"",
                                             reason, "\",version=\"3\"} 0")));
  }
  EXPECT_THAT(text, HasSubstr("inferd_request_duration_seconds_count{model=\"m\""));
}

TEST(ModelMetrics, CountsASuccess) {
  MetricsRegistry registry;
  ModelMetrics metrics(&registry, "m", "1");
  metrics.CountSuccess({4, absl::UnixEpoch(), absl::Microseconds(100), absl::Microseconds(10),
                        absl::Microseconds(20), absl::Microseconds(30), absl::Microseconds(40)});
  const std::string text = registry.Text();
  EXPECT_THAT(text, HasSubstr("nv_inference_count{model=\"m\",version=\"1\"} 4"));
  EXPECT_THAT(text, HasSubstr("nv_inference_queue_duration_us{model=\"m\",version=\"1\"} 10"));
  const ModelStatistics statistics = metrics.Snapshot();
  EXPECT_EQ(statistics.inference_count, 4u);
  EXPECT_EQ(statistics.success.total, absl::Microseconds(100));
  EXPECT_EQ(statistics.compute_output.total, absl::Microseconds(40));
}

TEST(ModelMetrics, AddsUpTuning) {
  MetricsRegistry registry;
  ModelMetrics metrics(&registry, "m", "1");
  metrics.CountTuning(absl::Seconds(2), 1);
  metrics.CountTuning(absl::Seconds(1), 3);
  EXPECT_THAT(registry.Text(),
              HasSubstr("inferd_tuning_seconds_total{model=\"m\",version=\"1\"} 3"));
  EXPECT_THAT(registry.Text(), HasSubstr("inferd_plan_swaps_total{model=\"m\",version=\"1\"} 4"));
}

TEST(ModelMetrics, SortsFailuresByReason) {
  MetricsRegistry registry;
  ModelMetrics metrics(&registry, "m", "1");
  metrics.CountFailure(absl::ResourceExhaustedError("full"), absl::ZeroDuration());
  metrics.CountFailure(absl::CancelledError("gone"), absl::ZeroDuration());
  metrics.CountFailure(absl::InternalError("broken"), absl::ZeroDuration());
  metrics.CountFailure(absl::InvalidArgumentError("bad"), absl::ZeroDuration());
  const std::string text = registry.Text();
  for (const char* reason : {"REJECTED", "CANCELED", "BACKEND", "OTHER"}) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("reason=\"", reason, "\",version=\"1\"} 1")));
  }
  EXPECT_EQ(metrics.Snapshot().fail.count, 4u);
}

TEST(ModelMetrics, TakesItsSeriesWithIt) {
  MetricsRegistry registry;
  auto metrics = std::make_unique<ModelMetrics>(&registry, "gone", "1");
  metrics->SetMemory(1, 2, 1);
  metrics = nullptr;
  EXPECT_THAT(registry.Text(), Not(HasSubstr("gone")));
}

}  // namespace
}  // namespace inferd
