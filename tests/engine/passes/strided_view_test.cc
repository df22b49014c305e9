#include "engine/passes/strided_view.h"

#include "gtest/gtest.h"

namespace inferd {
namespace {

TEST(StridedView, TransposesAndSplitsAxes) {
  StridedView view(Shape({2, 5, 12}));
  ASSERT_TRUE(view.Reshape(Shape({2, 5, 3, 4})));
  view.Transpose({0, 2, 3, 1});
  EXPECT_EQ(view.Stride(0), 60);
  EXPECT_EQ(view.Stride(1), 4);
  EXPECT_EQ(view.Stride(2), 1);
  EXPECT_EQ(view.Stride(3), 12);
}

TEST(StridedView, JoinsAxesThatNoStrideDescribesAndPartsThemAgain) {
  StridedView view(Shape({2, 5, 3, 4}));
  view.Transpose({0, 2, 1, 3});
  ASSERT_TRUE(view.Reshape(Shape({6, 5, 4})));
  EXPECT_EQ(view.Stride(0), std::nullopt);
  view.Transpose({0, 2, 1});
  ASSERT_TRUE(view.Reshape(Shape({2, 3, 4, 5})));
  EXPECT_EQ(view.Stride(0), 60);
  EXPECT_EQ(view.Stride(1), 4);
  EXPECT_EQ(view.Stride(2), 1);
  EXPECT_EQ(view.Stride(3), 12);
}

TEST(StridedView, RepeatsByBroadcasting) {
  StridedView view(Shape({3, 1, 4}));
  ASSERT_TRUE(view.Broadcast(Shape({2, 3, 5, 4})));
  ASSERT_TRUE(view.Reshape(Shape({2, 15, 4})));
  EXPECT_EQ(view.Stride(0), 0);
  const StridedView::Axis heads = view.Merged(1);
  ASSERT_EQ(heads.size(), 2u);
  EXPECT_EQ(heads[0].stride, 4);
  EXPECT_EQ(heads[1].stride, 0);
}

TEST(StridedView, SelectsAPartOfAnAxis) {
  StridedView view(Shape({2, 9, 4}));
  ASSERT_TRUE(view.Select(1, 2, 3, 2));
  EXPECT_EQ(view.offset(), 8);
  EXPECT_EQ(view.Stride(1), 12);
  EXPECT_EQ(view.size(1), 2);
}

TEST(StridedView, RefusesWhatIsNoView) {
  EXPECT_FALSE(StridedView(Shape({6, 4})).Reshape(Shape({4, 6})) &&
               StridedView(Shape({6, 4})).Reshape(Shape({5, 5})));
  StridedView view(Shape({4, 6}));
  view.Transpose({1, 0});
  EXPECT_FALSE(view.Reshape(Shape({8, 3})));
  EXPECT_FALSE(StridedView(Shape({0, 4})).Reshape(Shape({4, 0})));
  EXPECT_FALSE(StridedView(Shape({3})).Broadcast(Shape({2})));
}

}  // namespace
}  // namespace inferd
