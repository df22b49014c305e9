#include "server/commands/machine_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/command_runner.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;
using testing::TemporaryFolder;
using Level = Finding::Level;

class MachineChecksTest : public ::testing::Test {
 protected:
  MachineChecks Checks() const { return MachineChecks(root_.path()); }
  void Write(const std::string& path, const std::string& text) { root_.Write(path, text); }

  TemporaryFolder root_;
};

TEST_F(MachineChecksTest, AQuotaBelowOneCoreIsWarnedOf) {
  Write("sys/devices/system/cpu/online", "0-3,8\n");
  Finding finding = Checks().CpuQuota();
  EXPECT_EQ(finding.level, Level::kOk);
  EXPECT_THAT(finding.found, HasSubstr("5 processors, no cgroup quota"));
  Write("proc/self/cgroup", "0::/pod/box\n");
  Write("sys/fs/cgroup/pod/box/cpu.max", "50000 100000\n");
  finding = Checks().CpuQuota();
  EXPECT_EQ(finding.level, Level::kWarn);
  EXPECT_THAT(finding.found, HasSubstr("quota of 0.50 cores"));
  Write("sys/fs/cgroup/pod/box/cpu.max", "max 100000\n");
  EXPECT_THAT(Checks().CpuQuota().found, HasSubstr("no cgroup quota"));
}

TEST_F(MachineChecksTest, ThrottlingIsWarnedOf) {
  EXPECT_EQ(Checks().Throttling().level, Level::kOk);
  Write("sys/fs/cgroup/cpu.stat", "usage_usec 5\nnr_periods 100\nnr_throttled 6\n");
  EXPECT_EQ(Checks().Throttling().level, Level::kWarn);
  EXPECT_EQ(Checks().Throttling().found, "6 of 100 periods");
}

TEST_F(MachineChecksTest, SeveralNumaNodesAreWarnedOf) {
  EXPECT_EQ(Checks().NumaNodes().found, "1 node");
  Write("sys/devices/system/node/online", "0-1\n");
  EXPECT_EQ(Checks().NumaNodes().level, Level::kWarn);
  EXPECT_THAT(Checks().NumaNodes().advice, HasSubstr("numactl"));
}

TEST_F(MachineChecksTest, HugePagesThatAreOffAreWarnedOf) {
  const std::string file = "sys/kernel/mm/transparent_hugepage/enabled";
  Write(file, "always [madvise] never\n");
  EXPECT_EQ(Checks().HugePages().level, Level::kOk);
  Write(file, "always madvise [never]\n");
  EXPECT_EQ(Checks().HugePages().level, Level::kWarn);
}

TEST_F(MachineChecksTest, TheProcessorsKernelsAreNamed) {
  Write("proc/cpuinfo", "model name\t: Some CPU\nflags\t\t: fpu avx2 avx512f avx512_vnni\n");
  Finding finding = Checks().CpuFeatures();
  EXPECT_EQ(
      finding.found,
      "Some CPU: avx2 avx512f avx512_vnni; kernels: fp32 AVX-512, int8 AVX-512 VNNI, bf16 none");
  EXPECT_EQ(finding.level, Level::kOk);
  Write("proc/cpuinfo", "model name\t: Old CPU\nflags\t\t: fpu sse4_1\n");
  finding = Checks().CpuFeatures();
  EXPECT_EQ(finding.found, "Old CPU: no AVX; kernels: fp32 SSE4, int8 SSE4, bf16 none");
  EXPECT_EQ(finding.level, Level::kWarn);
}

TEST_F(MachineChecksTest, ACardWithoutADriverIsWarnedOf) {
  EXPECT_THAT(Checks().Gpus().found, HasSubstr("none"));
  Write("sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n");
  Write("sys/bus/pci/devices/0000:01:00.0/class", "0x030200\n");
  EXPECT_EQ(Checks().Gpus().level, Level::kWarn);
  Write("proc/driver/nvidia/version", "NVRM version: 1.2\nGCC version: 3\n");
  EXPECT_EQ(Checks().Gpus().level, Level::kOk);
  EXPECT_EQ(Checks().Gpus().found, "1 NVIDIA cards, NVRM version: 1.2");
}

TEST_F(MachineChecksTest, ASlowClockIsWarnedOf) {
  const std::string file = "sys/devices/system/clocksource/clocksource0/current_clocksource";
  Write(file, "tsc\n");
  EXPECT_EQ(Checks().ClockSource().level, Level::kOk);
  Write(file, "hpet\n");
  EXPECT_EQ(Checks().ClockSource().level, Level::kWarn);
}

TEST_F(MachineChecksTest, AnEmptyMachineFailsNothing) {
  for (const Finding& finding : Checks().All()) {
    EXPECT_NE(finding.level, Level::kFail) << finding.check;
    EXPECT_FALSE(finding.found.empty()) << finding.check;
  }
}

}  // namespace
}  // namespace inferd
