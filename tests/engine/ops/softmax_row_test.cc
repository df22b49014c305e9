#include "engine/ops/softmax_row.h"

#include <vector>

#include "gtest/gtest.h"

namespace inferd {
namespace {

TEST(SoftmaxRow, RoundsEveryStepInSixteenBits) {
  // exp(-1) is 0.36787945, in bfloat16 0.3671875; the sum 1.3671875 fits.
  std::vector<float> row = {1, 0};
  SoftmaxRow<Bfloat16>(row.data(), 2);
  EXPECT_EQ(row[0], 0.73046875f);
  EXPECT_EQ(row[1], 0.26953125f);
  std::vector<float> exact = {1, 0};
  SoftmaxRow<float>(exact.data(), 2);
  EXPECT_FLOAT_EQ(exact[0], 0.7310586f);
}

TEST(SoftmaxRow, DoesNotLoseTheTermsOfLongRows) {
  std::vector<float> row(4096, 3.0f);
  SoftmaxRow<Bfloat16>(row.data(), 4096);
  for (float share : row) ASSERT_EQ(share, 1.0f / 4096);
}

TEST(SoftmaxRow, LeavesAShareToTheSink) {
  std::vector<float> row = {0, 0};
  const float sink = 0;
  SoftmaxRow<float>(row.data(), 2, &sink);
  EXPECT_FLOAT_EQ(row[0], 1.0f / 3);
  EXPECT_FLOAT_EQ(row[1], 1.0f / 3);
}

}  // namespace
}  // namespace inferd
