#include "engine/plan/page_merger.h"

#include <algorithm>

#include "engine/core/pages.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

constexpr int64_t kBytes = 3 * kHugePageBytes + 4096;

std::shared_ptr<void> Sevens() {
  std::shared_ptr<void> memory = AllocateSmallPages(kBytes);
  std::fill_n(static_cast<char*>(memory.get()), kBytes, 7);
  return memory;
}

bool AreSevens(const std::shared_ptr<void>& memory) {
  const char* bytes = static_cast<const char*>(memory.get());
  return std::all_of(bytes, bytes + kBytes, [](char byte) { return byte == 7; });
}

TEST(PageMerger, LeavesWhatIsStoredAsItIs) {
  const std::shared_ptr<void> first = Sevens();
  const std::shared_ptr<void> second = Sevens();
  PageMerger merger;
  merger.Add(first, kBytes);
  merger.Start();
  merger.Add(second, kBytes);
  merger.Start();
  EXPECT_TRUE(AreSevens(first));
  merger.Wait();
  merger.Start();
  merger.Wait();
  EXPECT_TRUE(AreSevens(first));
  EXPECT_TRUE(AreSevens(second));
}

TEST(PageMerger, LetsMemoryGoThatNobodyElseHolds) {
  PageMerger merger;
  std::shared_ptr<void> memory = Sevens();
  const std::weak_ptr<void> alive = memory;
  merger.Add(memory, kBytes);
  memory.reset();
  EXPECT_TRUE(alive.expired());
  merger.Start();
  merger.Wait();
}

TEST(PageMerger, EndsWithItsOwnerWhetherOrNotItIsDone) {
  const std::shared_ptr<void> memory = Sevens();
  for (int i = 0; i < 3; ++i) {
    PageMerger merger;
    merger.Add(memory, kBytes);
    merger.Start();
  }
  EXPECT_TRUE(AreSevens(memory));
}

}  // namespace
}  // namespace inferd
