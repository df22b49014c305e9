#include "engine/plan/memory_planner.h"

#include <random>

#include "gtest/gtest.h"

namespace inferd {
namespace {

void ExpectNoOverlap(const std::vector<BlockRequest>& requests, const MemoryLayout& layout) {
  for (size_t a = 0; a < requests.size(); ++a) {
    EXPECT_EQ(layout.offsets[a] % 64, 0);
    EXPECT_LE(layout.offsets[a] + requests[a].bytes, layout.bytes);
    for (size_t b = 0; b < a; ++b) {
      const bool together =
          requests[a].first <= requests[b].last && requests[b].first <= requests[a].last;
      if (!together) continue;
      EXPECT_TRUE(layout.offsets[a] + requests[a].bytes <= layout.offsets[b] ||
                  layout.offsets[b] + requests[b].bytes <= layout.offsets[a])
          << "blocks " << a << " and " << b;
    }
  }
}

TEST(MemoryPlanner, ReusesABlockThatIsNoLongerNeeded) {
  const std::vector<BlockRequest> requests = {{1024, 0, 1}, {1024, 1, 2}, {1024, 2, 3}};
  const MemoryLayout layout = PlanMemory(requests);
  EXPECT_EQ(layout.bytes, 2048);
  ExpectNoOverlap(requests, layout);
}

TEST(MemoryPlanner, KeepsBlocksApartThatLiveAtTheSameStep) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<BlockRequest> requests;
    for (int i = 0; i < 40; ++i) {
      const int first = static_cast<int>(random() % 30);
      requests.push_back(
          {static_cast<int64_t>(random() % 5000), first, first + static_cast<int>(random() % 8)});
    }
    ExpectNoOverlap(requests, PlanMemory(requests));
  }
}

TEST(MemoryPlanner, NeedsNothingForNoBlocks) { EXPECT_EQ(PlanMemory({}).bytes, 0); }

}  // namespace
}  // namespace inferd
