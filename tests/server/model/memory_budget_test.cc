#include "server/model/memory_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace inferd {
namespace {

using ::testing::HasSubstr;

class MemoryBudgetTest : public ::testing::Test {
 protected:
  std::atomic<int64_t> used_{100};
  MemoryBudget budget_{1000, [this] { return used_.load(); }};
};

TEST_F(MemoryBudgetTest, RefusesWhatDoesNotFitNamingTheNumbers) {
  EXPECT_TRUE(budget_.TakeClaim(900).ok());
  const absl::Status status = budget_.TakeClaim(901).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("needs 901 bytes, the process holds 100 of 1000"));
}

TEST_F(MemoryBudgetTest, WaitsForLoadsThatStandInTheWay) {
  auto first = budget_.TakeClaim(600);
  ASSERT_TRUE(first.ok());
  std::atomic<bool> admitted{false};
  std::thread second([&] {
    EXPECT_TRUE(budget_.TakeClaim(500).ok());
    admitted = true;
  });
  EXPECT_TRUE(budget_.TakeClaim(300).ok());
  EXPECT_FALSE(admitted);
  first->reset();
  second.join();
  EXPECT_TRUE(admitted);
}

TEST_F(MemoryBudgetTest, RefusesAfterTheWaitWhenTheOtherLoadStays) {
  auto first = budget_.TakeClaim(600);
  absl::Status status;
  std::thread second([&] { status = budget_.TakeClaim(500).status(); });
  used_ = 700;
  first->reset();
  second.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

TEST_F(MemoryBudgetTest, CountsArenasAsFarAsTheyGrow) {
  EXPECT_TRUE(budget_.CheckLoaded(50, 300, 3).ok());
  EXPECT_TRUE(budget_.CheckLoaded(50, 300, 30).ok());
  EXPECT_TRUE(budget_.CheckLoaded(50, 400, 9).ok());
  EXPECT_FALSE(budget_.CheckLoaded(50, 401, 901).ok());
  used_ = 1001;
  EXPECT_FALSE(budget_.CheckLoaded(50, 1, 1).ok());
}

TEST_F(MemoryBudgetTest, EstimatesMoreThanTheFiles) {
  EXPECT_GT(MemoryBudget::Estimate(0), 0);
  EXPECT_GT(MemoryBudget::Estimate(80 << 20), 90 << 20);
}

TEST_F(MemoryBudgetTest, CountsArenasAgainThatWereGivenBack) {
  EXPECT_TRUE(budget_.CheckLoaded(0, 400, 1).ok());
  used_ = 900;
  EXPECT_TRUE(budget_.CheckLoaded(0, 400, 1).ok()) << "they are there";
  budget_.ReleasedArenas(100);
  EXPECT_FALSE(budget_.CheckLoaded(0, 400, 1).ok());
  EXPECT_TRUE(budget_.CheckLoaded(0, 200, 1).ok());
}

}  // namespace
}  // namespace inferd
