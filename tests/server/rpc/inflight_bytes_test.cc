#include "server/rpc/inflight_bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <thread>
#include <vector>

namespace inferd {
namespace {

TEST(InflightBytes, RefusesWhatPassesTheLimit) {
  InflightBytes total(100);
  InflightCharge first(&total), second(&total);
  EXPECT_TRUE(first.Add(60).ok());
  const absl::Status status = second.Add(41);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("60 are taken"));
  EXPECT_TRUE(second.Add(40).ok());
  EXPECT_EQ(total.used(), 100);
  EXPECT_FALSE(second.Add(1).ok());
  EXPECT_EQ(total.used(), 100);
}

TEST(InflightBytes, GivesBackWhatARequestTook) {
  InflightBytes total(100);
  {
    InflightCharge charge(&total);
    EXPECT_TRUE(charge.Add(90).ok());
    EXPECT_TRUE(charge.Add(10).ok());
    charge.Set(30);
    EXPECT_EQ(total.used(), 30);
    charge.Set(500);
    EXPECT_EQ(total.used(), 500);
  }
  EXPECT_EQ(total.used(), 0);
}

TEST(InflightBytes, HugeAmountsDoNotOverflow) {
  InflightBytes total(100);
  InflightCharge charge(&total);
  EXPECT_FALSE(charge.Add(std::numeric_limits<int64_t>::max()).ok());
  EXPECT_TRUE(charge.Add(1).ok());
}

TEST(InflightBytes, ManyThreadsEndAtZero) {
  InflightBytes total(1000);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10000; ++j) {
        InflightCharge charge(&total);
        if (charge.Add(300).ok()) {
          EXPECT_LE(total.used(), 1000 + 4 * 300);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(total.used(), 0);
}

}  // namespace
}  // namespace inferd
