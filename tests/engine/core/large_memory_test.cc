#include "engine/core/large_memory.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "gtest/gtest.h"

namespace inferd {
namespace {

TEST(LargeMemory, IsAlignedAndWritableAtEverySize) {
  for (const int64_t bytes : {int64_t{0}, int64_t{1}, int64_t{4096}, int64_t{1} << 21,
                              (int64_t{1} << 21) + 1, (int64_t{5} << 20) + 7}) {
    void* memory = AllocateLarge(bytes);
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0u);
    std::memset(memory, 1, static_cast<size_t>(bytes));
    std::free(memory);
  }
}

TEST(LargeMemory, IsNullWhenThereIsNone) {
  EXPECT_EQ(AllocateLarge(std::numeric_limits<int64_t>::max() / 4), nullptr);
}

}  // namespace
}  // namespace inferd
