#include "engine/plan/shape_cache.h"

#include "gtest/gtest.h"

namespace inferd {
namespace {

// Finds or makes the number of elements of a tensor of `size`; counts how often it is made.
class ShapeCacheTest : public ::testing::Test {
 protected:
  std::shared_ptr<const int64_t> Find(int64_t size, bool at_once = false, bool possible = true) {
    const Tensor tensor = Tensor::View(DType::kFloat32, Shape({size}), nullptr);
    const Tensor* tensors[] = {&tensor, nullptr};
    return cache_.FindOrMake(tensors, at_once, [&] {
      ++made_;
      return possible ? std::make_shared<const int64_t>(size) : nullptr;
    });
  }

  ShapeCache<int64_t> cache_;
  int made_ = 0;
};

TEST_F(ShapeCacheTest, MakesWhenShapesComeBack) {
  EXPECT_EQ(Find(3), nullptr);
  EXPECT_EQ(*Find(3), 3);
  EXPECT_EQ(*Find(3), 3);
  EXPECT_EQ(made_, 1);
}

TEST_F(ShapeCacheTest, MakesAtOnceWhenAsked) {
  EXPECT_EQ(*Find(3, true), 3);
  EXPECT_EQ(made_, 1);
}

TEST_F(ShapeCacheTest, RemembersWhatCannotBeMade) {
  EXPECT_EQ(Find(3, true, false), nullptr);
  EXPECT_EQ(Find(3, true, false), nullptr);
  EXPECT_EQ(made_, 1);
}

TEST_F(ShapeCacheTest, TellsTypesApart) {
  const Tensor floats = Tensor::View(DType::kFloat32, Shape({2}), nullptr);
  const Tensor integers = Tensor::View(DType::kInt64, Shape({2}), nullptr);
  const auto make = [&] { return std::make_shared<const int64_t>(++made_); };
  for (const Tensor* tensor : {&floats, &integers}) cache_.FindOrMake({tensor}, true, make);
  EXPECT_EQ(made_, 2);
}

TEST_F(ShapeCacheTest, ForgetsTheOldest) {
  for (int64_t size = 0; size < 100; ++size) Find(size, true);
  EXPECT_EQ(made_, 100);
  EXPECT_EQ(*Find(99), 99);
  EXPECT_EQ(Find(0), nullptr);
  EXPECT_EQ(made_, 100);
}

}  // namespace
}  // namespace inferd
