#include "engine/passes/length_constant.h"

#include "gtest/gtest.h"

namespace inferd {
namespace {

Tensor Counting(const Shape& shape) {
  Tensor tensor = Tensor::Allocate(DType::kInt64, shape).value();
  for (int64_t i = 0; i < shape.num_elements(); ++i) tensor.mutable_data<int64_t>()[i] = i;
  return tensor;
}

Tensor Filled(const Shape& shape, float value) {
  Tensor tensor = Tensor::Allocate(DType::kFloat32, shape).value();
  std::fill_n(tensor.mutable_data<float>(), shape.num_elements(), value);
  return tensor;
}

TEST(CompareLengths, FindsAConstantThatStaysTheSame) {
  const Tensor weights = Counting(Shape({3, 4}));
  const auto found = CompareLengths(weights, weights.Clone().value(), 3, 5);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, LengthConstant::Kind::kSame);
  EXPECT_EQ(found->uniform, 0u);
}

TEST(CompareLengths, FindsOneEntryAPosition) {
  const auto found = CompareLengths(Counting(Shape({1, 3})), Counting(Shape({1, 5})), 3, 5);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, LengthConstant::Kind::kPerPosition);
  EXPECT_EQ(found->axis, 1);
  EXPECT_TRUE(found->counts);
}

TEST(CompareLengths, CutsUniformAxesToOne) {
  const auto found = CompareLengths(Filled(Shape({1, 3, 3}), 2), Filled(Shape({1, 5, 5}), 2), 3, 5);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, LengthConstant::Kind::kSame);
  EXPECT_EQ(found->uniform, 6u);
  EXPECT_EQ(found->value.shape(), Shape({1, 1, 1}));
}

TEST(CompareLengths, FindsNumbersThatFollowTheLength) {
  const Tensor shorter = Tensor::FromValues<int64_t>(Shape({2}), {1, 3});
  const Tensor longer = Tensor::FromValues<int64_t>(Shape({2}), {1, 5});
  const auto found = CompareLengths(shorter, longer, 3, 5);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, LengthConstant::Kind::kNumbers);
}

TEST(CompareLengths, RefusesEntriesThatChangeWithTheLength) {
  Tensor longer = Counting(Shape({5}));
  longer.mutable_data<int64_t>()[0] = 9;
  EXPECT_FALSE(CompareLengths(Counting(Shape({3})), longer, 3, 5));
}

TEST(CompareLengths, RefusesTwoAxesOfPositionsAndOtherSizes) {
  EXPECT_FALSE(CompareLengths(Counting(Shape({3, 3})), Counting(Shape({5, 5})), 3, 5));
  EXPECT_FALSE(CompareLengths(Counting(Shape({6})), Counting(Shape({10})), 3, 5));
}

}  // namespace
}  // namespace inferd
