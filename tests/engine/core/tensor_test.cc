#include "engine/core/tensor.h"

#include <memory>
#include <numeric>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Tensor, AllocatesAlignedStorageOfTheShape) {
  const Tensor tensor = Tensor::Allocate(DType::kFloat16, {3, 5}).value();
  EXPECT_EQ(tensor.num_elements(), 15);
  EXPECT_EQ(tensor.byte_size(), 30);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.raw()) % 64, 0u);
  EXPECT_EQ(tensor.TypeString(), "float16[3,5]");
}

TEST(Tensor, RefusesToAllocateMoreThanTheLimit) {
  const auto tensor =
      Tensor::Allocate(DType::kFloat32, {1024, 1024}, Layout::kRowMajor, /*limit_bytes=*/1000);
  EXPECT_EQ(tensor.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(tensor.status().message()), HasSubstr("float32[1024,1024]"));
  EXPECT_EQ(Tensor::Allocate(DType::kInt8, {int64_t{1} << 46}).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(Tensor, RefusesImpossibleShapesAndTypes) {
  EXPECT_EQ(Tensor::Allocate(DType::kFloat32, {2, -3}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Tensor::Allocate(DType::kInvalid, {2}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Tensor, EmptyTensorsHaveStorageToPointAt) {
  const Tensor tensor = Tensor::Allocate(DType::kFloat32, {0, 7}).value();
  EXPECT_TRUE(tensor.has_data());
  EXPECT_EQ(tensor.byte_size(), 0);
  EXPECT_TRUE(Tensor::Allocate(DType::kString, {0}).value().has_data());
}

TEST(Tensor, CopiesShareStorageAndClonesDoNot) {
  Tensor original = Tensor::FromValues<int32_t>({2}, {1, 2});
  const Tensor copy = original;
  const Tensor clone = original.Clone().value();
  original.mutable_data<int32_t>()[0] = 7;
  EXPECT_THAT(copy.values<int32_t>(), ElementsAre(7, 2));
  EXPECT_THAT(clone.values<int32_t>(), ElementsAre(1, 2));
}

TEST(Tensor, ClonesStringsWithTheirText) {
  Tensor original = Tensor::FromValues<std::string>({2}, {"one", std::string(100, 'x')});
  const Tensor clone = original.Clone().value();
  original.mutable_data<std::string>()[1] = "changed";
  EXPECT_THAT(clone.values<std::string>(), ElementsAre("one", std::string(100, 'x')));
}

TEST(Tensor, AViewKeepsItsOwnerAlive) {
  auto owner = std::make_shared<std::vector<float>>(std::vector<float>{1, 2});
  const std::weak_ptr<std::vector<float>> watch = owner;
  {
    const Tensor view = Tensor::View(DType::kFloat32, {2}, owner->data(), owner);
    owner.reset();
    EXPECT_FALSE(watch.expired());
    EXPECT_THAT(view.Reshaped({2, 1}).values<float>(), ElementsAre(1, 2));
  }
  EXPECT_TRUE(watch.expired());
}

TEST(Tensor, ReadsEveryIntegerTypeAsInt64) {
  EXPECT_THAT(Tensor::FromValues<uint8_t>({2}, {1, 255}).ToInt64s().value(), ElementsAre(1, 255));
  EXPECT_THAT(Tensor::FromValues<int16_t>({1}, {-5}).ToInt64s().value(), ElementsAre(-5));
  EXPECT_FALSE(Tensor::FromValues<float>({1}, {1.0f}).ToInt64s().ok());
}

TEST(Tensor, ChannelsLastStridesAreThoseOfTheStoredOrder) {
  EXPECT_THAT(DenseStrides({2, 3, 4, 5}, Layout::kChannelsLast), ElementsAre(60, 1, 15, 3));
  EXPECT_THAT(DenseStrides({2, 3, 4, 5}, Layout::kRowMajor), ElementsAre(60, 20, 5, 1));
  EXPECT_THAT(DenseStrides({2, 3}, Layout::kChannelsLast), ElementsAre(3, 1));
}

TEST(Tensor, SequencesOptionalsAndMapsHoldTensors) {
  const Tensor one = Tensor::Scalar<float>(1);
  EXPECT_EQ(Tensor::Sequence({one, one}).elements().size(), 2u);
  EXPECT_EQ(Tensor::Optional({}).kind(), ValueKind::kOptional);
  const Tensor map = Tensor::Map(Tensor::FromValues<int64_t>({1}, {4}), one);
  EXPECT_EQ(map.kind(), ValueKind::kMap);
  EXPECT_THAT(map.elements()[0].values<int64_t>(), ElementsAre(4));
}

}  // namespace
}  // namespace inferd
