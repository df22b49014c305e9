#include "server/rpc/shared_memory_calls.h"

#include <gtest/gtest.h>

#include "tests/server/rpc/shared_object.h"

namespace inferd {
namespace {

inference::SystemSharedMemoryRegisterRequest RegisterRequest(const std::string& name,
                                                             const std::string& key) {
  inference::SystemSharedMemoryRegisterRequest request;
  request.set_name(name);
  request.set_key(key);
  request.set_offset(8);
  request.set_byte_size(16);
  return request;
}

TEST(SharedMemoryCalls, RegionsAreShownAsTheyWereRegistered) {
  const SharedObject object(32);
  SharedMemoryRegions regions(4, 100);
  ASSERT_TRUE(RegisterSharedMemory(&regions, RegisterRequest("a", object.key())).ok());
  ASSERT_TRUE(RegisterSharedMemory(&regions, RegisterRequest("b", object.key())).ok());
  inference::SystemSharedMemoryStatusRequest request;
  inference::SystemSharedMemoryStatusResponse response;
  ASSERT_TRUE(ShowSharedMemory(&regions, request, &response).ok());
  EXPECT_EQ(response.regions_size(), 2);
  response.Clear();
  request.set_name("b");
  ASSERT_TRUE(ShowSharedMemory(&regions, request, &response).ok());
  ASSERT_EQ(response.regions_size(), 1);
  const auto& region = response.regions().at("b");
  EXPECT_EQ(region.name(), "b");
  EXPECT_EQ(region.key(), object.key());
  EXPECT_EQ(region.offset(), 8u);
  EXPECT_EQ(region.byte_size(), 16u);
  inference::SystemSharedMemoryUnregisterRequest unregister;
  unregister.set_name("b");
  EXPECT_TRUE(UnregisterSharedMemory(&regions, unregister).ok());
  EXPECT_TRUE(absl::IsNotFound(ShowSharedMemory(&regions, request, &response)));
}

TEST(SharedMemoryCalls, SaySoWhereSharedMemoryIsOff) {
  inference::SystemSharedMemoryStatusResponse response;
  EXPECT_TRUE(absl::IsUnimplemented(
      ShowSharedMemory(nullptr, inference::SystemSharedMemoryStatusRequest(), &response)));
  EXPECT_TRUE(absl::IsUnimplemented(
      RegisterSharedMemory(nullptr, inference::SystemSharedMemoryRegisterRequest())));
  EXPECT_TRUE(absl::IsUnimplemented(
      UnregisterSharedMemory(nullptr, inference::SystemSharedMemoryUnregisterRequest())));
}

TEST(SharedMemoryCalls, MemoryOfADeviceNeedsOne) {
  inference::CudaSharedMemoryRegisterRequest request;
  inference::CudaSharedMemoryStatusResponse response;
  SharedMemoryRegions regions(4, 100);
  EXPECT_TRUE(absl::IsUnimplemented(RegisterSharedMemory(nullptr, request)));
  EXPECT_TRUE(absl::IsUnimplemented(RegisterSharedMemory(&regions, request)));
  for (SharedMemoryRegions* some : {static_cast<SharedMemoryRegions*>(nullptr), &regions}) {
    EXPECT_TRUE(ShowSharedMemory(some, inference::CudaSharedMemoryStatusRequest(), &response).ok());
    EXPECT_TRUE(UnregisterSharedMemory(some, inference::CudaSharedMemoryUnregisterRequest()).ok());
  }
  EXPECT_EQ(response.regions_size(), 0);
}

}  // namespace
}  // namespace inferd
