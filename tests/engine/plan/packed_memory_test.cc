#include "engine/plan/packed_memory.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "engine/core/pages.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

// Of weights that begin on small pages, of some that share huge ones, and of some that have their
// own.
constexpr int64_t kSizes[] = {1,       64,     100, 4 << 10, 300 << 10, 900 << 10, (3 << 20) + 5,
                              7 << 20, 9 << 20};

TEST(PackedMemory, GivesZeroedAlignedBytesThatNobodyElseHas) {
  PackedMemory memory;
  std::vector<std::pair<std::shared_ptr<void>, int64_t>> given;
  for (int round = 0; round < 3; ++round) {
    for (const int64_t bytes : kSizes) {
      std::shared_ptr<void> weights = memory.Allocate(bytes);
      ASSERT_NE(weights, nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(weights.get()) % 64, 0u);
      char* data = static_cast<char*>(weights.get());
      EXPECT_EQ(std::count(data, data + bytes, 0), bytes);
      std::memset(data, static_cast<int>(given.size() + 1), bytes);
      given.emplace_back(std::move(weights), bytes);
    }
  }
  memory.FinishPacking();
  for (size_t i = 0; i < given.size(); ++i) {
    const char* data = static_cast<const char*>(given[i].first.get());
    EXPECT_EQ(std::count(data, data + given[i].second, static_cast<char>(i + 1)), given[i].second);
  }
}

TEST(PackedMemory, LeavesNeighboursAloneWhenOneGoes) {
  PackedMemory memory;
  memory.Allocate(1 << 20);  // the first ones lie elsewhere
  std::vector<std::shared_ptr<void>> weights;
  for (int i = 0; i < 3; ++i) {
    weights.push_back(memory.Allocate(kHugePageBytes + 192));
    std::memset(weights.back().get(), i + 1, kHugePageBytes + 192);
  }
  EXPECT_EQ(static_cast<char*>(weights[1].get()) - static_cast<char*>(weights[0].get()),
            kHugePageBytes + 192);
  weights[1].reset();
  for (const int i : {0, 2}) {
    const char* data = static_cast<const char*>(weights[i].get());
    EXPECT_EQ(std::count(data, data + kHugePageBytes + 192, i + 1), kHugePageBytes + 192);
  }
}

TEST(PackedMemory, GoesAfterTheLastOfItsWeights) {
  auto memory = std::make_unique<PackedMemory>();
  memory->Allocate(1 << 20);
  const std::shared_ptr<void> weights = memory->Allocate(1 << 20);
  std::memset(weights.get(), 7, 1 << 20);
  memory.reset();
  EXPECT_EQ(static_cast<char*>(weights.get())[(1 << 20) - 1], 7);
}

TEST(PackedMemory, IsNullWhenThereIsNone) {
  PackedMemory memory;
  EXPECT_EQ(memory.Allocate(std::numeric_limits<int64_t>::max() / 4), nullptr);
}

}  // namespace
}  // namespace inferd
