#include "server/repository/model_table.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

TEST(ModelTable, FindsWhatWasAdded) {
  ModelTable table;
  EXPECT_EQ(table.Find("a"), nullptr);
  ModelEntry* entry = table.Add("a");
  EXPECT_EQ(table.Find("a"), entry);
  EXPECT_EQ(table.Add("a"), entry);
  EXPECT_EQ(table.Find("b"), nullptr);
}

TEST(ModelTable, MayBeReadWhileItGrows) {
  ModelTable table;
  constexpr int kNames = 3000;
  std::thread writer([&] {
    for (int i = 0; i < kNames; ++i) table.Add(absl::StrCat("model", i));
  });
  int found = 0;
  while (found < kNames) {
    if (table.Find(absl::StrCat("model", found)) != nullptr) ++found;
  }
  writer.join();
  int visited = 0;
  table.ForEach([&](const ModelEntry&) { ++visited; });
  EXPECT_EQ(visited, kNames);
}

TEST(ModelEntry, KnowsItsVersions) {
  ModelEntry entry("m");
  entry.SetState(1, ModelState::kUnavailable, "broken");
  entry.SetState(2, ModelState::kLoading);
  ModelEntry::Version version;
  ASSERT_TRUE(entry.Find(1, &version));
  EXPECT_EQ(version.reason, "broken");
  EXPECT_FALSE(entry.Find(3, &version));
  EXPECT_EQ(entry.Newest(), nullptr);
  EXPECT_EQ(entry.Versions().size(), 2u);
}

TEST(ModelState, HasTheNamesOfTheIndex) {
  EXPECT_EQ(ModelStateName(ModelState::kReady), "READY");
  EXPECT_EQ(ModelStateName(ModelState::kUnavailable), "UNAVAILABLE");
}

}  // namespace
}  // namespace inferd
