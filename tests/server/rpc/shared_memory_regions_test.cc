#include "server/rpc/shared_memory_regions.h"

#include <gtest/gtest.h>

#include "tests/server/rpc/shared_object.h"

namespace inferd {
namespace {

using Kind = SharedMemoryRegion::Kind;

class SharedMemoryRegionsTest : public ::testing::Test {
 protected:
  absl::StatusCode Register(const std::string& name, uint64_t bytes) {
    return RegisterObject(regions_, name, object_, 0, bytes).code();
  }

  const SharedObject object_{64};
  SharedMemoryRegions regions_{3, 100};
};

TEST_F(SharedMemoryRegionsTest, FindsWhatIsRegistered) {
  EXPECT_EQ(Register("a", 8), absl::StatusCode::kOk);
  EXPECT_EQ(regions_.Find("a").value()->byte_size(), 8);
  EXPECT_EQ(regions_.Find("b").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(regions_.count(), 1);
  EXPECT_EQ(regions_.bytes(), 8);
}

TEST_F(SharedMemoryRegionsTest, RefusesANameInUse) {
  EXPECT_EQ(Register("a", 8), absl::StatusCode::kOk);
  EXPECT_EQ(Register("a", 8), absl::StatusCode::kAlreadyExists);
}

TEST_F(SharedMemoryRegionsTest, LimitsRegionsAndBytes) {
  EXPECT_EQ(Register("a", 64), absl::StatusCode::kOk);
  EXPECT_EQ(Register("b", 37), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Register("b", 36), absl::StatusCode::kOk);
  regions_.Unregister(Kind::kSystem, "a");
  EXPECT_EQ(Register("a", 1), absl::StatusCode::kOk);
  EXPECT_EQ(Register("c", 1), absl::StatusCode::kOk);
  EXPECT_EQ(Register("d", 1), absl::StatusCode::kResourceExhausted);
}

TEST_F(SharedMemoryRegionsTest, ForgetsOneOrAllAndWhoUsesOneKeepsIt) {
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(Register(name, 8), absl::StatusCode::kOk);
  const SharedMemoryHandle kept = regions_.Find("a").value();
  regions_.Unregister(Kind::kSystem, "a");
  regions_.Unregister(Kind::kSystem, "a");
  EXPECT_FALSE(regions_.Find("a").ok());
  EXPECT_EQ(regions_.List(Kind::kSystem)->size(), 2u);
  regions_.Unregister(Kind::kSystem, "");
  EXPECT_EQ(regions_.count(), 0);
  EXPECT_EQ(regions_.bytes(), 0);
  char byte;
  EXPECT_TRUE(kept->Read(0, 1, &byte).ok());
}

TEST_F(SharedMemoryRegionsTest, OpensNothingWithoutRoomForIt) {
  const auto open = [] {
    ADD_FAILURE() << "opened";
    return absl::StatusOr<SharedMemoryHandle>(absl::InternalError("opened"));
  };
  EXPECT_EQ(regions_.Register("", open).code(), absl::StatusCode::kInvalidArgument);
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(Register(name, 8), absl::StatusCode::kOk);
  EXPECT_EQ(regions_.Register("a", open).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(regions_.Register("d", open).code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(SharedMemoryRegionsTest, KindsAreListedAndForgottenApart) {
  EXPECT_EQ(Register("a", 8), absl::StatusCode::kOk);
  EXPECT_EQ(regions_.List(Kind::kDevice)->size(), 0u);
  EXPECT_EQ(regions_.List(Kind::kDevice, "a").status().code(), absl::StatusCode::kNotFound);
  regions_.Unregister(Kind::kDevice, "a");
  regions_.Unregister(Kind::kDevice, "");
  EXPECT_EQ(regions_.List(Kind::kSystem, "a")->size(), 1u);
}

}  // namespace
}  // namespace inferd
