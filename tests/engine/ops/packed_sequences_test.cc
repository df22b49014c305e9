#include "engine/ops/packed_sequences.h"

#include <vector>

#include "gtest/gtest.h"

namespace inferd {
namespace {

bool Accepts(const std::vector<int64_t>& offsets, int64_t tokens) {
  return CheckSequenceOffsets(offsets, tokens).ok();
}

TEST(CheckSequenceOffsets, TakesSequencesOneBehindTheOther) {
  EXPECT_TRUE(Accepts({0, 3, 3, 7}, 7));
  EXPECT_TRUE(Accepts({0, 3}, 16));
}

TEST(CheckSequenceOffsets, RefusesWhatBeginsLateFallsOrReachesTooFar) {
  EXPECT_FALSE(Accepts({1, 3}, 7));
  EXPECT_FALSE(Accepts({0, 3, 2}, 7));
  EXPECT_FALSE(Accepts({0, 8}, 7));
  EXPECT_FALSE(Accepts({-1, 2}, 7));
}

}  // namespace
}  // namespace inferd
