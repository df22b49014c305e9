#include "engine/plan/weight_store.h"

#include <atomic>
#include <cstring>
#include <thread>

#include "gtest/gtest.h"

namespace inferd {
namespace {

Tensor Floats(int64_t count) {
  Tensor tensor = Tensor::Allocate(DType::kFloat32, Shape({count})).value();
  for (int64_t i = 0; i < count; ++i) tensor.mutable_data<float>()[i] = static_cast<float>(i);
  return tensor;
}

absl::Status Nothing(void*) { return absl::OkStatus(); }

TEST(WeightStore, PacksEachConstantOnceForEachLayout) {
  WeightStore store;
  const Tensor constant = Floats(8);
  int packings = 0;
  const auto pack = [&](void* to) {
    ++packings;
    std::memcpy(to, constant.raw(), constant.byte_size());
    return absl::OkStatus();
  };
  const auto first = store.GetOrPack(constant, "a", 32, pack).value();
  const auto second = store.GetOrPack(constant, "a", 32, pack).value();
  const auto other = store.GetOrPack(constant, "b", 64, pack).value();
  EXPECT_EQ(first, second);
  EXPECT_NE(first, other);
  EXPECT_EQ(packings, 2);
  EXPECT_EQ(static_cast<const float*>(first->data())[7], 7.0f);
  EXPECT_EQ(store.packed_bytes(), 96);
  EXPECT_TRUE(store.Has(constant, "a"));
  EXPECT_FALSE(store.Has(constant, "c"));
}

TEST(WeightStore, ReleasesACopyWithItsLastHolder) {
  WeightStore store;
  const Tensor constant = Floats(8);
  auto packed = store.GetOrPack(constant, "a", 32, Nothing).value();
  auto also = packed;
  packed.reset();
  EXPECT_EQ(store.packed_bytes(), 32);
  also.reset();
  EXPECT_EQ(store.packed_bytes(), 0);
  EXPECT_EQ(store.num_packed(), 0);
  EXPECT_FALSE(store.Has(constant, "a"));
  EXPECT_TRUE(store.GetOrPack(constant, "a", 32, Nothing).ok());
}

TEST(WeightStore, TakesWhatAnotherStoreHasPacked) {
  WeightStore lender;
  const Tensor constant = Floats(8);
  auto packed = lender.GetOrPack(constant, "a", 32, Nothing).value();
  WeightStore store(&lender);
  int packings = 0;
  const auto pack = [&](void*) {
    ++packings;
    return absl::OkStatus();
  };
  EXPECT_EQ(store.GetOrPack(constant, "a", 32, pack).value(), packed);
  EXPECT_EQ(packings, 0);
  const auto own = store.GetOrPack(constant, "b", 32, pack).value();
  EXPECT_EQ(packings, 1);
  EXPECT_EQ(store.packed_bytes(), 32);
  EXPECT_FALSE(lender.Has(constant, "b"));
  packed.reset();
  EXPECT_TRUE(store.GetOrPack(constant, "a", 32, pack).ok());
  EXPECT_EQ(packings, 2) << "what the lender has no more is packed";
}

TEST(WeightStore, KeepsTheConstantAliveSoThatItsAddressStaysItsIdentity) {
  WeightStore store;
  auto owner = std::make_shared<std::vector<float>>(4, 1.0f);
  const std::weak_ptr<std::vector<float>> alive = owner;
  Tensor constant = Tensor::View(DType::kFloat32, Shape({4}), owner->data(), owner);
  auto packed = store.GetOrPack(constant, "a", 16, Nothing).value();
  constant = Tensor();
  owner.reset();
  EXPECT_FALSE(alive.expired());
  packed.reset();
  EXPECT_TRUE(alive.expired());
}

TEST(WeightStore, OutlivedByItsPackedCopies) {
  auto store = std::make_unique<WeightStore>();
  const auto packed = store->GetOrPack(Floats(4), "a", 16, Nothing).value();
  store.reset();
  EXPECT_EQ(packed->size(), 16);
}

TEST(WeightStore, ForgetsAPackingThatFailed) {
  WeightStore store;
  const Tensor constant = Floats(4);
  const auto fail = [](void*) { return absl::InternalError("no"); };
  EXPECT_EQ(store.GetOrPack(constant, "a", 16, fail).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(store.packed_bytes(), 0);
  EXPECT_TRUE(store.GetOrPack(constant, "a", 16, Nothing).ok());
}

TEST(WeightStore, PacksOnceWhenThreadsAskTogether) {
  WeightStore store;
  const Tensor constant = Floats(4);
  std::atomic<int> packings{0};
  std::vector<std::shared_ptr<const PackedWeights>> results(8);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] {
      result = store
                   .GetOrPack(constant, "a", 16,
                              [&](void*) {
                                ++packings;
                                return absl::OkStatus();
                              })
                   .value();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(packings.load(), 1);
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
}

}  // namespace
}  // namespace inferd
