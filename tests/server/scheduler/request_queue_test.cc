#include "server/scheduler/request_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/scheduler/request_maker.h"

namespace inferd {
namespace {

using ::testing::ElementsAre;

class RequestQueueTest : public ::testing::Test {
 protected:
  void Push(const std::string& id, const Shape& shape, uint32_t level = 0,
            absl::Time expiry = absl::InfiniteFuture()) {
    auto request = maker_.Make(shape);
    request->id = id;
    queue_.Push({std::move(request), absl::UnixEpoch(), expiry, level}, true);
  }
  static std::vector<std::string> Ids(const std::vector<RequestQueue::Entry>& entries) {
    std::vector<std::string> ids;
    for (const auto& entry : entries) ids.push_back(entry.request->id);
    return ids;
  }
  static BatchLimits Limits(int64_t max_rows) {
    BatchLimits limits;
    limits.max_rows = max_rows;
    limits.may_join = true;
    return limits;
  }

  RequestMaker maker_;
  RequestQueue queue_{8};
};

TEST_F(RequestQueueTest, TakesTheLaneWhoseHeadHasWaitedLongest) {
  Push("a", {1, 3});
  Push("b", {1, 4});
  Push("c", {1, 3});
  EXPECT_THAT(Ids(queue_.PopBatch(Limits(8))), ElementsAre("a", "c"));
  Push("d", {1, 3});
  EXPECT_THAT(Ids(queue_.PopBatch(Limits(8))), ElementsAre("b"));
  EXPECT_THAT(Ids(queue_.PopBatch(Limits(8))), ElementsAre("d"));
  EXPECT_TRUE(queue_.PopBatch(Limits(8)).empty());
}

TEST_F(RequestQueueTest, KeepsOneLaneForSequencesOfAllLengthsWherePacking) {
  RequestQueue queue(8, /*packs=*/true);
  for (const Shape& shape : {Shape{1, 3, 2}, Shape{1, 4, 2}, Shape{1, 4, 5}}) {
    auto request = maker_.Make(shape);
    request->id = shape.ToString();
    queue.Push({std::move(request), absl::UnixEpoch(), absl::InfiniteFuture(), 0}, true);
  }
  EXPECT_THAT(Ids(queue.PopBatch(Limits(8))), ElementsAre("[1,3,2]", "[1,4,2]"));
  EXPECT_THAT(Ids(queue.PopBatch(Limits(8))), ElementsAre("[1,4,5]"));
}

TEST_F(RequestQueueTest, GivesAnOversizeRequestAlone) {
  Push("big", {9, 2});
  Push("small", {1, 2});
  EXPECT_THAT(Ids(queue_.PopBatch(Limits(4))), ElementsAre("big"));
  EXPECT_EQ(queue_.rows(), 1);
}

TEST_F(RequestQueueTest, KeepsTheOrderOfArrivalWithinALevel) {
  Push("low 1", {1, 2}, 2);
  Push("high 1", {1, 2}, 1);
  Push("low 2", {1, 2}, 2);
  Push("high 2", {1, 2}, 1);
  EXPECT_THAT(Ids(queue_.PopBatch(Limits(8))), ElementsAre("high 1", "high 2", "low 1", "low 2"));
}

TEST_F(RequestQueueTest, PopsWhatHasExpiredFromAnyLane) {
  const absl::Time soon = absl::UnixEpoch() + absl::Seconds(1);
  Push("a", {1, 2}, 0, soon + absl::Seconds(1));
  Push("b", {1, 3}, 0, soon);
  Push("c", {1, 2});
  EXPECT_EQ(queue_.next_expiry(), soon);
  EXPECT_THAT(Ids(queue_.PopExpired(soon)), ElementsAre("b"));
  EXPECT_EQ(queue_.requests(), 2);
  EXPECT_THAT(Ids(queue_.PopBatch(Limits(8))), ElementsAre("a", "c"));
  EXPECT_EQ(queue_.next_expiry(), absl::InfiniteFuture());
}

TEST_F(RequestQueueTest, IsFullAtItsLimit) {
  for (int i = 0; i < 8; ++i) Push("x", {1, i + 1});
  EXPECT_TRUE(queue_.full());
  EXPECT_EQ(queue_.PopAll().size(), 8u);
  EXPECT_EQ(queue_.requests(), 0);
  EXPECT_EQ(queue_.rows(), 0);
}

}  // namespace
}  // namespace inferd
