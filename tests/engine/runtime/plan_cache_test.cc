#include "engine/runtime/plan_cache.h"

#include <atomic>
#include <thread>

#include "gtest/gtest.h"

namespace inferd {
namespace {

std::vector<Shape> Key(int64_t size) { return {Shape({size})}; }

TEST(PlanCache, BindsOnceForManyCallers) {
  std::atomic<int> binds{0};
  PlanCache cache(4, [&](const std::vector<Shape>&) {
    ++binds;
    return absl::StatusOr<std::shared_ptr<const Plan>>(std::make_shared<const Plan>());
  });
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      for (int k = 0; k < 100; ++k) EXPECT_TRUE(cache.PlanFor(Key(3)).ok());
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(binds, 1);
}

TEST(PlanCache, DropsTheLeastRecentlyUsedPlan) {
  int binds = 0;
  PlanCache cache(2, [&](const std::vector<Shape>&) {
    ++binds;
    return absl::StatusOr<std::shared_ptr<const Plan>>(std::make_shared<const Plan>());
  });
  for (int64_t size : {1, 2, 1, 3, 1}) ASSERT_TRUE(cache.PlanFor(Key(size)).ok());
  EXPECT_EQ(binds, 3);
  EXPECT_EQ(cache.num_plans(), 2);
  ASSERT_TRUE(cache.PlanFor(Key(2)).ok());
  EXPECT_EQ(binds, 4);
}

TEST(PlanCache, ListsTheShapesMostUsedFirst) {
  PlanCache cache(4, [&](const std::vector<Shape>&) {
    return absl::StatusOr<std::shared_ptr<const Plan>>(std::make_shared<const Plan>());
  });
  for (int64_t size : {1, 2, 3, 2, 3, 3}) ASSERT_TRUE(cache.BorrowExecutor(Key(size)).ok());
  EXPECT_EQ(cache.MostUsed(8), (std::vector<std::vector<Shape>>{Key(3), Key(2), Key(1)}));
  EXPECT_EQ(cache.MostUsed(1), (std::vector<std::vector<Shape>>{Key(3)}));
}

TEST(PlanCache, ForgetsAFailedBind) {
  bool fail = true;
  PlanCache cache(2, [&](const std::vector<Shape>&) -> absl::StatusOr<std::shared_ptr<const Plan>> {
    if (fail) return absl::InvalidArgumentError("shape does not fit");
    return std::make_shared<const Plan>();
  });
  EXPECT_EQ(cache.PlanFor(Key(1)).status().code(), absl::StatusCode::kInvalidArgument);
  fail = false;
  EXPECT_TRUE(cache.PlanFor(Key(1)).ok());
}

TEST(PlanCache, RunsAReplacedPlanNoMore) {
  PlanCache cache(2, [&](const std::vector<Shape>&) {
    return absl::StatusOr<std::shared_ptr<const Plan>>(std::make_shared<const Plan>());
  });
  auto lent = cache.BorrowExecutor(Key(1)).value();
  cache.ReturnExecutor(Key(1), cache.BorrowExecutor(Key(1)).value());
  const auto faster = std::make_shared<const Plan>();
  cache.Replace(Key(1), faster);
  EXPECT_EQ(&cache.BorrowExecutor(Key(1)).value()->plan(), faster.get());
  // One that was lent meanwhile is not kept.
  cache.ReturnExecutor(Key(1), std::move(lent));
  EXPECT_EQ(&cache.BorrowExecutor(Key(1)).value()->plan(), faster.get());
  cache.Replace(Key(7), faster);
  EXPECT_EQ(cache.num_plans(), 1);
}

TEST(PlanCache, GivesEachPlanOnceForTuningTheMostUsedFirst) {
  PlanCache cache(4, [&](const std::vector<Shape>&) {
    return absl::StatusOr<std::shared_ptr<const Plan>>(std::make_shared<const Plan>());
  });
  EXPECT_EQ(cache.TakeUntuned(), std::nullopt);
  for (const int64_t size : {1, 2, 2}) ASSERT_TRUE(cache.BorrowExecutor(Key(size)).ok());
  EXPECT_EQ(cache.TakeUntuned(), Key(2));
  EXPECT_EQ(cache.TakeUntuned(), Key(1));
  EXPECT_EQ(cache.TakeUntuned(), std::nullopt);
}

TEST(PlanCache, BindsAnewWhatItLetGo) {
  int bound = 0;
  PlanCache cache(4, [&](const std::vector<Shape>&) {
    ++bound;
    return absl::StatusOr<std::shared_ptr<const Plan>>(std::make_shared<const Plan>());
  });
  auto lent = cache.BorrowExecutor(Key(1)).value();
  cache.Clear();
  EXPECT_EQ(cache.num_plans(), 0);
  // It may go on, but is not kept.
  cache.ReturnExecutor(Key(1), std::move(lent));
  ASSERT_TRUE(cache.BorrowExecutor(Key(1)).ok());
  EXPECT_EQ(bound, 2);
}

TEST(PlanCache, SurvivesManyShapesFromManyThreads) {
  PlanCache cache(3, [&](const std::vector<Shape>&) {
    return absl::StatusOr<std::shared_ptr<const Plan>>(std::make_shared<const Plan>());
  });
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&, t] {
      for (int64_t k = 0; k < 500; ++k) {
        auto executor = cache.BorrowExecutor(Key((k * 7 + t) % 10));
        ASSERT_TRUE(executor.ok());
        cache.ReturnExecutor(Key((k * 7 + t) % 10), *std::move(executor));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_LE(cache.num_plans(), 3);
}

}  // namespace
}  // namespace inferd
