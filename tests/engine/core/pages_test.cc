#include "engine/core/pages.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

#include "gtest/gtest.h"

namespace inferd {
namespace {

TEST(AllocatePages, GivesZeroedWritableMemoryOfEverySize) {
  for (const int64_t bytes : {int64_t{0}, int64_t{1}, int64_t{4096}, int64_t{1} << 21,
                              (int64_t{1} << 21) + 1, (int64_t{5} << 20) + 7}) {
    for (const auto allocate : {AllocatePages, AllocateSmallPages}) {
      const std::shared_ptr<void> memory = allocate(bytes);
      ASSERT_NE(memory, nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.get()) % 4096, 0u);
      ProvidePages(memory.get(), bytes);
      const char* data = static_cast<const char*>(memory.get());
      if (bytes > 0) {
        EXPECT_EQ(data[bytes - 1], 0);
      }
      std::memset(memory.get(), 1, static_cast<size_t>(bytes));
    }
  }
}

TEST(AllocatePages, IsNullWhenThereIsNone) {
  EXPECT_EQ(AllocatePages(std::numeric_limits<int64_t>::max() / 4), nullptr);
}

TEST(ProvideHugePages, LeavesMemoryZeroedAndWritableHoweverFastPagesCome) {
  for (const int64_t bytes : {int64_t{4096}, kHugePageBytes, 5 * kHugePageBytes + 4097}) {
    const std::shared_ptr<void> memory = AllocatePages(bytes);
    ProvideHugePages(memory.get(), bytes);
    char* data = static_cast<char*>(memory.get());
    EXPECT_EQ(std::count(data, data + bytes, 0), bytes);
    std::memset(data, 1, static_cast<size_t>(bytes));
  }
}

TEST(ReturnPages, TakesOnlyPagesThatLieWhollyInside) {
  const std::shared_ptr<void> memory = AllocateSmallPages(4 * 4096);
  char* data = static_cast<char*>(memory.get());
  std::memset(data, 5, 4 * 4096);
  ReturnPages(data + 64, 2 * 4096);
  EXPECT_EQ(std::count(data, data + 4096, 5), 4096);
  EXPECT_EQ(std::count(data + 4096, data + 2 * 4096, 0), 4096);
  EXPECT_EQ(std::count(data + 2 * 4096, data + 4 * 4096, 5), 2 * 4096);
  ReturnPages(data + 1, 100);
  EXPECT_EQ(data[1], 5);
}

TEST(MergePages, KeepsWhatIsStored) {
  const std::shared_ptr<void> memory = AllocateSmallPages(2 * kHugePageBytes);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.get()) % kHugePageBytes, 0u);
  std::memset(memory.get(), 5, 2 * kHugePageBytes);
  // Whether the system does it is its own affair.
  MergePages(memory.get());
  const char* data = static_cast<const char*>(memory.get());
  EXPECT_EQ(std::count(data, data + 2 * kHugePageBytes, 5), 2 * kHugePageBytes);
}

}  // namespace
}  // namespace inferd
