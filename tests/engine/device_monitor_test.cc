#include "engine/device_monitor.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

EngineConfig WithProvider(const std::string& name) {
  EngineConfig config;
  config.providers = {name};
  return config;
}

TEST(DeviceMonitor, HasNothingToSayWhereAllIsInHostMemory) {
  const auto monitor = DeviceMonitor::Open(WithProvider("portable"));
  ASSERT_TRUE(monitor.ok()) << monitor.status();
  EXPECT_THAT((*monitor)->Descriptions(), IsEmpty());
  EXPECT_THAT((*monitor)->Statistics(), IsEmpty());
}

TEST(DeviceMonitor, DescribesDevicesAndPassesTheirStatisticsOn) {
  const auto monitor = DeviceMonitor::Open(WithProvider("fake"));
  ASSERT_TRUE(monitor.ok()) << monitor.status();
  EXPECT_THAT((*monitor)->Descriptions(), ElementsAre("fake: fake"));
  ASSERT_EQ((*monitor)->Statistics().size(), 1u);
  EXPECT_EQ((*monitor)->Statistics()[0].name, "fake_allocated_bytes");
}

TEST(DeviceMonitor, FindsTheValueOfNowByNameAndLabels) {
  const auto monitor = DeviceMonitor::Open(WithProvider("fake"));
  ASSERT_TRUE(monitor.ok()) << monitor.status();
  DeviceStatistic statistic = (*monitor)->Statistics()[0];
  EXPECT_EQ((*monitor)->ValueOf(statistic), statistic.value);
  statistic.labels.emplace_back("gpu_uuid", "of another");
  EXPECT_TRUE(std::isnan((*monitor)->ValueOf(statistic)));
}

TEST(DeviceMonitor, RefusesAProviderThatDoesNotExist) {
  EXPECT_FALSE(DeviceMonitor::Open(WithProvider("abacus")).ok());
}

}  // namespace
}  // namespace inferd
