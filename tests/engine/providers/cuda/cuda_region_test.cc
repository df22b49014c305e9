#include <cstdlib>
#include <cstring>

#include "gmock/gmock.h"
#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;

// The emulated runtime's handles begin with the address of 4096 bytes of this process.
class CudaRegions : public testing::CudaProviderTest {
 protected:
  void SetUp() override {
    if (std::getenv("INFERD_TEST_PROVIDER") != nullptr) GTEST_SKIP() << "needs another process";
    CudaProviderTest::SetUp();
  }

  static std::string HandleOf(const void* address) {
    std::string handle(64, '\0');
    std::memcpy(handle.data(), &address, sizeof(address));
    return handle;
  }
  Device& device() { return *providers_[0]->device(); }

  alignas(4096) char memory_[4096] = {};
};

TEST_F(CudaRegions, CopyFromAndToWhatIsShared) {
  const auto region = device().OpenRegion(HandleOf(memory_), 4096);
  ASSERT_TRUE(region.ok()) << region.status();
  ASSERT_TRUE((*region)->Write(100, "bytes", 5).ok());
  EXPECT_EQ(std::string(memory_ + 100, 5), "bytes");
  memory_[4095] = 'x';
  char last;
  ASSERT_TRUE((*region)->Read(4095, 1, &last).ok());
  EXPECT_EQ(last, 'x');
}

TEST_F(CudaRegions, HaveNoMoreBytesThanWereAllocated) {
  EXPECT_TRUE(device().OpenRegion(HandleOf(memory_ + 96), 4000).ok());
  const absl::Status status = device().OpenRegion(HandleOf(memory_ + 96), 4001).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(status.message(), HasSubstr("has 4000 bytes, expected 4001"));
}

TEST_F(CudaRegions, RefuseWhatIsNoHandle) {
  EXPECT_THAT(device().OpenRegion("short", 1).status().message(),
              HasSubstr("expected a cudaIpcMemHandle_t of 64 bytes, got 5"));
  const absl::Status status = device().OpenRegion(HandleOf(nullptr), 1).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(status.message(), HasSubstr("the handle cannot be opened"));
}

}  // namespace
}  // namespace inferd
