#include "engine/ops/packed_sequences.h"

#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

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

using testing::CheckOpCase;
using testing::ExpectOpError;
using testing::MakeAttributes;
using testing::OpCase;
using testing::Values;

OpCase Accumulate(const Tensor& x, const Tensor& offsets, const Tensor& expected, int64_t axis,
                  int64_t exclusive) {
  return {.op = "AccumulateSequences",
          .inputs = {x, offsets},
          .outputs = {expected},
          .attributes = MakeAttributes({{"axis", axis}, {"exclusive", exclusive}}),
          .domain = "inferd"};
}

TEST(AccumulateSequences, BeginsAnewWithEachSequence) {
  const Tensor offsets = Values<int64_t>({4}, {0, 3, 3, 5});
  const Tensor x = Values<int64_t>({1, 6}, {1, 2, 3, 4, 5, 6});
  CheckOpCase(Accumulate(x, offsets, Values<int64_t>({1, 6}, {1, 3, 6, 4, 9, 0}), 1, 0));
  CheckOpCase(Accumulate(x, offsets, Values<int64_t>({1, 6}, {0, 1, 3, 0, 4, 0}), 1, 1));
  const Tensor rows = Values<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  CheckOpCase(Accumulate(rows, Values<int64_t>({3}, {0, 2, 3}),
                         Values<float>({3, 2}, {1, 2, 4, 6, 5, 6}), 0, 0));
}

TEST(AccumulateSequences, RefusesOffsetsBehindTheTokensAndRowsBeforeThem) {
  const Tensor x = Values<int64_t>({2, 1}, {1, 2});
  ExpectOpError(Accumulate(x, Values<int64_t>({2}, {0, 3}), x, 0, 0), "offset 1 is 3");
  ExpectOpError(Accumulate(x, Values<int64_t>({2}, {0, 1}), x, 1, 0), "before axis 1");
}

}  // namespace
}  // namespace inferd
