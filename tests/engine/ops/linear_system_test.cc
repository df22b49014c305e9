#include "engine/ops/linear_system.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

TEST(SolveLinearSystem, SolvesForEveryColumn) {
  double matrix[] = {0, 2, 0, 1, 1, 1, 0, 0, 4};
  double right[] = {4, 0, 6, 1, 12, 4};
  ASSERT_TRUE(SolveLinearSystem(3, matrix, 2, right));
  EXPECT_THAT(right, ::testing::ElementsAre(1, 0, 2, 0, 3, 1));
  EXPECT_THAT(matrix, ::testing::ElementsAre(1, 0, 0, 0, 1, 0, 0, 0, 1));
}

TEST(SolveLinearSystem, SaysWhenTheMatrixIsSingular) {
  double matrix[] = {1, 2, 2, 4};
  double right[] = {1, 1};
  EXPECT_FALSE(SolveLinearSystem(2, matrix, 1, right));
  EXPECT_TRUE(SolveLinearSystem(0, matrix, 1, right));
}

}  // namespace
}  // namespace inferd
