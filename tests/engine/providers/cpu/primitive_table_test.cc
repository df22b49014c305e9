#include "engine/providers/cpu/primitive_table.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace inferd::cpu {
namespace {

absl::StatusOr<DnnlPrimitive> Named(const std::string& name) {
  DnnlPrimitive primitive;
  primitive.implementation = name;
  return primitive;
}

TEST(PrimitiveTable, CreatesEachKeyOnce) {
  PrimitiveTable table;
  int created = 0;
  const auto create = [&] {
    ++created;
    return Named("a");
  };
  const auto first = table.GetOrCreate("k", create).value();
  const auto second = table.GetOrCreate("k", create).value();
  EXPECT_EQ(first, second);
  EXPECT_EQ(created, 1);
  EXPECT_EQ(table.hits(), 1);
}

TEST(PrimitiveTable, DropsTheLeastRecentlyUsedOverItsCapacity) {
  PrimitiveTable table(2);
  const auto get = [&](const std::string& key) {
    return table.GetOrCreate(key, [&] { return Named(key); }).value();
  };
  const auto a = get("a");
  get("b");
  get("a");
  get("c");  // drops b
  EXPECT_EQ(table.size(), 2);
  EXPECT_EQ(get("a"), a);
  const int64_t hits = table.hits();
  get("b");
  EXPECT_EQ(table.hits(), hits);
  EXPECT_EQ(a->implementation, "a");
}

TEST(PrimitiveTable, KeepsNothingOfAFailure) {
  PrimitiveTable table;
  const auto fail = []() -> absl::StatusOr<DnnlPrimitive> { return absl::InternalError("no"); };
  EXPECT_FALSE(table.GetOrCreate("k", fail).ok());
  EXPECT_EQ(table.size(), 0);
  EXPECT_TRUE(table.GetOrCreate("k", [] { return Named("k"); }).ok());
}

}  // namespace
}  // namespace inferd::cpu
