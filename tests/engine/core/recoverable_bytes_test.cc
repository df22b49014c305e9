#include "engine/core/recoverable_bytes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "engine/core/tensor.h"

namespace inferd {
namespace {

constexpr int64_t kFloats = 16 << 10;
constexpr int64_t kBytes = kFloats * 4;

// A constant of ones that counts how often it is filled and fails when told to.
struct Source {
  std::shared_ptr<RecoverySet> set = std::make_shared<RecoverySet>();
  std::atomic<int> fills{0};
  std::atomic<bool> broken{false};

  Tensor Make() {
    auto bytes = RecoverableBytes::Make(set, kBytes, "ones", [this](void* to) {
      ++fills;
      std::fill_n(static_cast<float*>(to), kFloats, 1.0f);
      return broken ? absl::FailedPreconditionError("the source is broken") : absl::OkStatus();
    });
    return Tensor::Recoverable(DType::kFloat32, Shape({kFloats}), *std::move(bytes));
  }
};

float Last(const Tensor& tensor) { return tensor.data<float>()[kFloats - 1]; }

TEST(RecoverableBytes, ComeWhenTheyAreRead) {
  Source source;
  const Tensor tensor = source.Make();
  EXPECT_EQ(source.set->resident_bytes(), 0);
  const RecoverySet::Reading reading(*source.set);
  EXPECT_EQ(Last(tensor), 1.0f);
  EXPECT_EQ(Last(tensor), 1.0f);
  EXPECT_EQ(source.fills, 1);
  EXPECT_EQ(source.set->resident_bytes(), kBytes);
  EXPECT_TRUE(reading.status().ok());
}

TEST(RecoverableBytes, GoWithTheLastReadingAndComeAgain) {
  Source source;
  const Tensor tensor = source.Make();
  const void* address = tensor.address();
  {
    const RecoverySet::Reading outer(*source.set);
    {
      const RecoverySet::Reading inner(*source.set);
      EXPECT_EQ(Last(tensor), 1.0f);
    }
    EXPECT_EQ(source.set->resident_bytes(), kBytes);
  }
  EXPECT_EQ(source.set->resident_bytes(), 0);
  const RecoverySet::Reading reading(*source.set);
  EXPECT_EQ(Last(tensor), 1.0f);
  EXPECT_EQ(source.fills, 2);
  EXPECT_EQ(tensor.address(), address);
}

TEST(RecoverableBytes, AreReleasedOnlyWhereNobodyElseMayRead) {
  Source source;
  const Tensor tensor = source.Make();
  const RecoverySet::Reading reading(*source.set);
  EXPECT_EQ(Last(tensor), 1.0f);
  {
    const RecoverySet::Reading other(*source.set);
    tensor.recoverable()->Release();
    EXPECT_EQ(source.set->resident_bytes(), kBytes);
  }
  tensor.recoverable()->Release();
  EXPECT_EQ(source.set->resident_bytes(), 0);
}

TEST(RecoverableBytes, StayWhileATensorKeepsThem) {
  Source source;
  const Tensor tensor = source.Make();
  Tensor kept;
  {
    const RecoverySet::Reading reading(*source.set);
    kept = tensor.Kept();
    tensor.recoverable()->Release();
  }
  EXPECT_EQ(kept.recoverable(), nullptr);
  EXPECT_EQ(kept.raw(), tensor.address());
  EXPECT_EQ(Last(kept), 1.0f);
  EXPECT_EQ(source.set->resident_bytes(), kBytes);
  kept = Tensor();
  EXPECT_EQ(source.set->resident_bytes(), 0);
  EXPECT_EQ(source.fills, 1);
}

TEST(RecoverableBytes, ReadAsZerosWithAStatusWhenTheyCannotBeHad) {
  Source source;
  source.broken = true;
  const Tensor tensor = source.Make();
  {
    const RecoverySet::Reading reading(*source.set);
    EXPECT_EQ(Last(tensor), 0.0f);
    EXPECT_EQ(reading.status().code(), absl::StatusCode::kFailedPrecondition);
  }
  source.broken = false;
  const RecoverySet::Reading reading(*source.set);
  EXPECT_TRUE(reading.status().ok());
  EXPECT_EQ(Last(tensor), 1.0f);
}

TEST(RecoverableBytes, AreCopiedWithoutStaying) {
  Source source;
  const Tensor tensor = source.Make();
  EXPECT_EQ(Last(*tensor.Clone()), 1.0f);
  EXPECT_EQ(source.set->resident_bytes(), 0);
  source.broken = true;
  EXPECT_FALSE(tensor.Clone().ok());
}

TEST(RecoverableBytes, AreReadByManyThreadsWhileOthersRelease) {
  Source source;
  const Tensor tensor = source.Make();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const Tensor mine = tensor;
      for (int i = 0; i < 50; ++i) {
        const RecoverySet::Reading reading(*source.set);
        wrong += Last(mine) != 1.0f;
        if (i % 3 == 0) wrong += Last(mine.Kept()) != 1.0f;
        if (i % 2 == 0) mine.recoverable()->Release();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(source.set->resident_bytes(), 0);
}

}  // namespace
}  // namespace inferd
