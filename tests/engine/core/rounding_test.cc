#include "engine/core/rounding.h"

#include "gtest/gtest.h"

namespace inferd {
namespace {

TEST(Rounding, GoesUpToWholeSteps) {
  EXPECT_EQ(DivideUp(0, 16), 0);
  EXPECT_EQ(DivideUp(1, 16), 1);
  EXPECT_EQ(DivideUp(16, 16), 1);
  EXPECT_EQ(DivideUp(17, 16), 2);
  EXPECT_EQ(RoundUp(0, 3), 0);
  EXPECT_EQ(RoundUp(4, 3), 6);
  EXPECT_EQ(RoundUp(6, 3), 6);
}

}  // namespace
}  // namespace inferd
