#include "engine/device_placement.h"

#include <thread>

#include "gtest/gtest.h"

namespace inferd {
namespace {

using Ticket = DevicePlacement::Ticket;

class DevicePlacementTest : public ::testing::Test {
 protected:
  DevicePlacement Of(int devices, int most_running = 0) {
    return {devices, most_running, [this](int device) { return device != lost_; },
            [this] { return now_; }};
  }

  absl::Time now_ = absl::UnixEpoch();
  int lost_ = -1;
};

TEST_F(DevicePlacementTest, SpreadsExecutionsOfUnknownTime) {
  DevicePlacement placement = Of(3);
  const Ticket a = placement.Begin(10);
  const Ticket b = placement.Begin(10);
  const Ticket c = placement.Begin(10);
  EXPECT_EQ(a.device, 0);
  EXPECT_EQ(b.device, 1);
  EXPECT_EQ(c.device, 2);
}

TEST_F(DevicePlacementTest, GoesWhereAnExecutionIsDoneFirst) {
  DevicePlacement placement = Of(2);
  // The first device takes 10 ms, the second one 3.
  const Ticket slow = placement.Begin(1000);
  const Ticket quick = placement.Begin(1000);
  now_ += absl::Milliseconds(3);
  placement.End(quick, false);
  now_ += absl::Milliseconds(7);
  placement.End(slow, false);
  std::vector<Ticket> tickets;
  for (int i = 0; i < 4; ++i) tickets.push_back(placement.Begin(1000));
  EXPECT_EQ(tickets[0].device, 1);  // done after 3 ms
  EXPECT_EQ(tickets[1].device, 1);  // 6 ms
  EXPECT_EQ(tickets[2].device, 1);  // 9 ms
  EXPECT_EQ(tickets[3].device, 0);  // 10 ms
}

TEST_F(DevicePlacementTest, TellsSizesApart) {
  DevicePlacement placement = Of(2);
  const Ticket large = placement.Begin(1 << 20);
  now_ += absl::Milliseconds(10);
  placement.End(large, false);
  // What is not known is expected at once.
  EXPECT_EQ(placement.Begin(16).device, 0);
  EXPECT_EQ(placement.Begin(1 << 20).device, 1);
}

TEST_F(DevicePlacementTest, LeavesOutLostDevicesUnlessAllAre) {
  DevicePlacement placement = Of(2);
  lost_ = 0;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(placement.Begin(10).device, 1);
  DevicePlacement one = Of(1);
  EXPECT_EQ(one.Begin(10).device, 0);
}

TEST_F(DevicePlacementTest, LearnsNothingFromFailures) {
  DevicePlacement placement = Of(2);
  const Ticket failed = placement.Begin(1000);
  now_ += absl::Seconds(1);
  placement.End(failed, true);
  EXPECT_EQ(placement.Begin(1000).device, 0);
}

TEST_F(DevicePlacementTest, WaitsWhileEveryDeviceRunsAsManyAsItMay) {
  DevicePlacement placement = Of(2, 1);
  const Ticket a = placement.Begin(10);
  const Ticket b = placement.Begin(10);
  EXPECT_NE(a.device, b.device);
  int device = -1;
  std::thread waiting([&] { device = placement.Begin(10).device; });
  placement.End(b, false);
  waiting.join();
  EXPECT_EQ(device, b.device);
}

}  // namespace
}  // namespace inferd
