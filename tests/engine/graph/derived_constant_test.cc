#include "engine/graph/derived_constant.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace inferd {
namespace {

constexpr int64_t kFloats = 16 << 10;

Tensor RecoverableOnes(const std::shared_ptr<RecoverySet>& set, const char* origin = "ones") {
  auto bytes = RecoverableBytes::Make(set, kFloats * 4, origin, [](void* to) {
    std::fill_n(static_cast<float*>(to), kFloats, 1.0f);
    return absl::OkStatus();
  });
  return Tensor::Recoverable(DType::kFloat32, Shape({kFloats}), *std::move(bytes));
}

absl::StatusOr<Tensor> Doubled(Tensor input, int* runs) {
  const Shape shape = input.shape();
  return DeriveConstant(DType::kFloat32, shape, {std::move(input)}, "doubled",
                        [runs](absl::Span<const Tensor> inputs, void* to) {
                          ++*runs;
                          std::transform(inputs[0].data<float>(),
                                         inputs[0].data<float>() + inputs[0].num_elements(),
                                         static_cast<float*>(to), [](float x) { return 2 * x; });
                          return absl::OkStatus();
                        });
}

TEST(DeriveConstant, RunsTheRecipeWhenTheConstantIsRead) {
  const auto set = std::make_shared<RecoverySet>();
  int runs = 0;
  const Tensor four = *Doubled(*Doubled(RecoverableOnes(set), &runs), &runs);
  EXPECT_EQ(runs, 0);
  const RecoverySet::Reading reading(*set);
  EXPECT_EQ(four.data<float>()[kFloats - 1], 4.0f);
  EXPECT_EQ(runs, 2);
  // The inputs were not left in memory.
  EXPECT_EQ(set->resident_bytes(), kFloats * 4);
  four.recoverable()->Release();
  EXPECT_EQ(four.data<float>()[0], 4.0f);
  EXPECT_EQ(runs, 4);
}

TEST(DeriveConstant, RunsTheRecipeAtOnceWhereItWouldHoldItsInputs) {
  int runs = 0;
  Tensor ordinary = *Tensor::Allocate(DType::kFloat32, Shape({kFloats}));
  std::fill_n(ordinary.mutable_data<float>(), kFloats, 1.0f);
  const Tensor doubled = *Doubled(ordinary, &runs);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(doubled.recoverable(), nullptr);
  EXPECT_EQ(doubled.data<float>()[7], 2.0f);
}

TEST(ChangeConstant, GivesTheRecipeTheBytesWhereTheResultIsToBe) {
  const auto set = std::make_shared<RecoverySet>();
  const auto add = [](absl::Span<const Tensor> others, void* to) {
    for (int64_t i = 0; i < kFloats; ++i) {
      static_cast<float*>(to)[i] += others[0].data<float>()[0];
    }
    return absl::OkStatus();
  };
  const Tensor two = Tensor::Scalar<float>(2);
  const Tensor once = *ChangeConstant(RecoverableOnes(set), {two}, "more", add);
  const Tensor five = *ChangeConstant(once, {two}, "more", add);
  ASSERT_NE(five.recoverable(), nullptr);
  std::vector<float> read(kFloats);
  ASSERT_TRUE(five.recoverable()->CopyTo(read.data()).ok());
  EXPECT_EQ(read[kFloats - 1], 5.0f);
  EXPECT_EQ(set->resident_bytes(), 0);

  Tensor ordinary = *Tensor::Allocate(DType::kFloat32, Shape({kFloats}));
  std::fill_n(ordinary.mutable_data<float>(), kFloats, 1.0f);
  EXPECT_EQ(ChangeConstant(ordinary, {two}, "more", add)->data<float>()[7], 3.0f);
  EXPECT_EQ(ordinary.data<float>()[7], 1.0f);
}

TEST(ConstantOrigin, IsEqualForEqualBytesAlone) {
  const auto set = std::make_shared<RecoverySet>();
  int runs = 0;
  EXPECT_EQ(ConstantOrigin(*Doubled(RecoverableOnes(set), &runs)),
            ConstantOrigin(*Doubled(RecoverableOnes(set), &runs)));
  EXPECT_NE(ConstantOrigin(*Doubled(RecoverableOnes(set, "other"), &runs)),
            ConstantOrigin(*Doubled(RecoverableOnes(set), &runs)));
  EXPECT_EQ(ConstantOrigin(Tensor::FromValues<float>(Shape({2}), {1, 2})),
            ConstantOrigin(Tensor::FromValues<float>(Shape({2}), {1, 2})));
  EXPECT_NE(ConstantOrigin(Tensor::FromValues<float>(Shape({2}), {1, 2})),
            ConstantOrigin(Tensor::FromValues<float>(Shape({2}), {1, 3})));
}

}  // namespace
}  // namespace inferd
