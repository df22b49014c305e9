#include "server/model/background_tuner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/model_options.h"
#include "server/metrics/metrics_registry.h"
#include "server/model/served_model.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_model.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;

TEST(BackgroundTuner, TunesTheModelsItIsGivenAndCountsIt) {
  MetricsRegistry registry;
  FakeClock clock;
  CoreSlots slots(1, 1);
  auto model = FakeModel::Identity();
  TuningReport report;
  report.steps.push_back({"conv", {}, "winograd 4", true});
  report.swapped_plans = 1;
  report.time = absl::Seconds(2);
  model->set_tuning(report);
  const std::shared_ptr<ServedModel> served =
      ServedModel::Create("m", 1, std::move(model), *ParseModelOptions("", "m"),
                          {&slots, &clock, &registry}, absl::ZeroDuration())
          .value();
  Mutex mutex;
  CondVar asked_again;
  int asked = 0;
  {
    BackgroundTuner tuner(&slots, [&] {
      MutexLock lock(&mutex);
      ++asked;
      asked_again.Signal();
      return std::vector<std::shared_ptr<ServedModel>>{served};
    });
    MutexLock lock(&mutex);
    // The second time the first round is over.
    while (asked < 2) asked_again.Wait(&mutex);
  }
  EXPECT_THAT(registry.Text(), HasSubstr("inferd_plan_swaps_total{model=\"m\",version=\"1\"} 1"));
  EXPECT_THAT(registry.Text(),
              HasSubstr("inferd_tuning_seconds_total{model=\"m\",version=\"1\"} 2"));
}

TEST(BackgroundTuner, StopsAtOnceWhenThereIsNothingToTune) {
  CoreSlots slots(1, 1);
  for (int i = 0; i < 20; ++i) {
    BackgroundTuner tuner(&slots, [] { return std::vector<std::shared_ptr<ServedModel>>(); });
  }
}

}  // namespace
}  // namespace inferd
