#include "server/rpc/device_memory_region.h"

#include <limits>

#include "engine/device_monitor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/rpc/shared_memory_calls.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;

// What the fake device takes for the handle of another process.
constexpr char kHandle[] = "fake memory";

class DeviceMemoryRegionTest : public ::testing::Test {
 protected:
  DeviceMemoryRegionTest() {
    EngineConfig config;
    config.providers = {"fake"};
    devices_ = DeviceMonitor::Open(config).value();
    regions_.UseDevices(devices_.get());
  }

  absl::Status Register(const std::string& name, const std::string& handle, int64_t device,
                        uint64_t bytes) {
    inference::CudaSharedMemoryRegisterRequest request;
    request.set_name(name);
    request.set_raw_handle(handle);
    request.set_device_id(device);
    request.set_byte_size(bytes);
    return RegisterSharedMemory(&regions_, request);
  }

  std::unique_ptr<DeviceMonitor> devices_;
  SharedMemoryRegions regions_{4, 1000};
};

TEST_F(DeviceMemoryRegionTest, BytesThatAreWrittenAreRead) {
  ASSERT_TRUE(Register("a", kHandle, 0, 64).ok());
  const SharedMemoryHandle region = regions_.Find("a").value();
  EXPECT_EQ(region->byte_size(), 64);
  ASSERT_TRUE(region->Write(10, "bytes").ok());
  char read[7];
  ASSERT_TRUE(region->Read(9, 7, read).ok());
  EXPECT_EQ(std::string(read, 7), std::string("\0bytes\0", 7));
}

TEST_F(DeviceMemoryRegionTest, RegionsAreShownAndForgottenApartFromThoseOfTheSystem) {
  ASSERT_TRUE(Register("a", kHandle, 0, 64).ok());
  inference::CudaSharedMemoryStatusResponse response;
  ASSERT_TRUE(
      ShowSharedMemory(&regions_, inference::CudaSharedMemoryStatusRequest(), &response).ok());
  ASSERT_EQ(response.regions_size(), 1);
  EXPECT_EQ(response.regions().at("a").device_id(), 0u);
  EXPECT_EQ(response.regions().at("a").byte_size(), 64u);
  inference::SystemSharedMemoryStatusResponse of_system;
  ASSERT_TRUE(
      ShowSharedMemory(&regions_, inference::SystemSharedMemoryStatusRequest(), &of_system).ok());
  EXPECT_EQ(of_system.regions_size(), 0);
  const SharedMemoryHandle kept = regions_.Find("a").value();
  ASSERT_TRUE(
      UnregisterSharedMemory(&regions_, inference::SystemSharedMemoryUnregisterRequest()).ok());
  EXPECT_EQ(regions_.count(), 1);
  ASSERT_TRUE(
      UnregisterSharedMemory(&regions_, inference::CudaSharedMemoryUnregisterRequest()).ok());
  EXPECT_EQ(regions_.count(), 0);
  EXPECT_TRUE(kept->Write(0, "still there").ok());
}

TEST_F(DeviceMemoryRegionTest, SaysWhatIsWrongWithWhatIsRegistered) {
  const absl::Status handle = Register("a", "none", 0, 64);
  EXPECT_TRUE(absl::IsInvalidArgument(handle));
  EXPECT_THAT(handle.message(), HasSubstr("shared memory region 'a': fake:0: expected the handle"));
  const absl::Status device = Register("a", kHandle, 3, 64);
  EXPECT_TRUE(absl::IsInvalidArgument(device));
  EXPECT_THAT(device.message(), HasSubstr("device 3: there are 1, counted from 0"));
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{1} << 63, uint64_t{65537}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Register("a", kHandle, 0, bytes))) << bytes;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(Register("", kHandle, 0, 64)));
  EXPECT_TRUE(absl::IsResourceExhausted(Register("a", kHandle, 0, 1001)));
  EXPECT_TRUE(Register("a", kHandle, 0, 1000).ok());
}

}  // namespace
}  // namespace inferd
