#include "engine/onnx/byte_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

namespace inferd {
namespace {

namespace fs = std::filesystem;

class ByteSourceTest : public ::testing::Test {
 protected:
  void SetUp() override { Write("0123456789"); }
  void TearDown() override { fs::remove(path_); }
  void Write(const std::string& bytes) { std::ofstream(path_, std::ios::trunc) << bytes; }
  void ChangeTime() {
    fs::last_write_time(path_, fs::file_time_type::clock::now() + std::chrono::hours(1));
  }

  const std::string path_ = ::testing::TempDir() + "/inferd_byte_source_test";
};

TEST_F(ByteSourceTest, ReadsAFileThatWasRemovedOrReplaced) {
  const auto source = *OpenFileSource(path_);
  fs::remove(path_);
  Write("abcdefghij");
  char bytes[4] = {};
  ASSERT_TRUE(source->Read(2, 3, bytes).ok());
  EXPECT_STREQ(bytes, "234");
  EXPECT_NE(source->identity(), (*OpenFileSource(path_))->identity());
}

TEST_F(ByteSourceTest, RefusesAFileThatWasWrittenTo) {
  const auto source = *OpenFileSource(path_);
  Write("abcdefghij");
  ChangeTime();
  char bytes[4] = {};
  const absl::Status status = source->Read(2, 3, bytes);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(path_));
}

TEST_F(ByteSourceTest, RefusesAFileThatShrank) {
  const auto source = *OpenFileSource(path_);
  fs::resize_file(path_, 3);
  char bytes[4] = {};
  EXPECT_FALSE(source->Read(2, 3, bytes).ok());
  EXPECT_EQ(source->Read(8, 3, bytes).code(), absl::StatusCode::kOutOfRange);
}

TEST_F(ByteSourceTest, HasTheIdentityOfTheContentsAndTheTime) {
  const std::string identity = (*OpenFileSource(path_))->identity();
  EXPECT_EQ((*OpenFileSource(path_))->identity(), identity);
  ChangeTime();
  EXPECT_NE((*OpenFileSource(path_))->identity(), identity);
  EXPECT_EQ(ViewSource("bytes")->identity(), "");
}

}  // namespace
}  // namespace inferd
