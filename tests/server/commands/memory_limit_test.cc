#include "server/commands/memory_limit.h"

#include <gtest/gtest.h>

#include "tests/server/repository/temporary_repository.h"

namespace inferd {
namespace {

TEST(MemoryLimit, TakesTheSmallestLimitUpTheTree) {
  TemporaryRepository root;
  root.Write("a/memory.max", "3000\n");
  root.Write("a/b/memory.max", "max\n");
  root.Write("a/b/c/memory.max", "5000\n");
  EXPECT_EQ(CgroupMemoryLimit("0::/a/b/c\n", root.root()), 3000);
  EXPECT_EQ(CgroupMemoryLimit("0::/a/b\n", root.root()), 3000);
}

TEST(MemoryLimit, ReadsVersionOneToo) {
  TemporaryRepository root;
  root.Write("memory/pod/memory.limit_in_bytes", "7000\n");
  EXPECT_EQ(CgroupMemoryLimit("4:cpu,cpuacct:/pod\n5:memory:/pod\n0::/pod\n", root.root()), 7000);
}

TEST(MemoryLimit, ThereMayBeNone) {
  TemporaryRepository root;
  root.Write("a/memory.max", "max\n");
  EXPECT_EQ(CgroupMemoryLimit("0::/a\n", root.root()), -1);
  EXPECT_EQ(CgroupMemoryLimit("", root.root()), -1);
  EXPECT_EQ(CgroupMemoryLimit("nonsense\n0::\n::::\n", root.root()), -1);
}

TEST(MemoryLimit, ThisMachineHasSome) { EXPECT_GT(AvailableMemoryBytes(), 1 << 20); }

}  // namespace
}  // namespace inferd
