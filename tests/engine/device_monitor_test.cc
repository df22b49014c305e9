#include "engine/device_monitor.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
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

TEST(DeviceMonitor, OpensMemoryThatOthersShareWithADevice) {
  const auto monitor = DeviceMonitor::Open(WithProvider("fake"));
  ASSERT_TRUE(monitor.ok()) << monitor.status();
  ASSERT_EQ((*monitor)->count(), 1);
  const auto region = (*monitor)->OpenRegion(0, "fake memory", 8);
  ASSERT_TRUE(region.ok()) << region.status();
  char bytes[4] = {1, 2, 3, 4};
  ASSERT_TRUE((*region)->Write(4, bytes, 4).ok());
  char read[6];
  ASSERT_TRUE((*region)->Read(2, 6, read).ok());
  EXPECT_EQ(std::string(read, 6), std::string("\0\0\1\2\3\4", 6));
  EXPECT_TRUE(absl::IsInvalidArgument((*monitor)->OpenRegion(0, "another", 8).status()));
  for (const int64_t device : {-1, 1}) {
    EXPECT_THAT((*monitor)->OpenRegion(device, "fake memory", 8).status().message(),
                HasSubstr("there are 1, counted from 0"));
  }
}

TEST(DeviceMonitor, RefusesAProviderThatDoesNotExist) {
  EXPECT_FALSE(DeviceMonitor::Open(WithProvider("abacus")).ok());
}

}  // namespace
}  // namespace inferd
