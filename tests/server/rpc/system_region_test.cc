#include "server/rpc/system_region.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <limits>

#include "tests/server/rpc/shared_object.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();

void ExpectRefused(const absl::Status& status, absl::StatusCode code, const std::string& text) {
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

void ExpectKeyRefused(const std::string& key, const std::string& text) {
  ExpectRefused(SystemRegion::Open("r", key, 0, 1).status(),
                absl::StatusCode::kInvalidArgument, text);
}

TEST(SystemRegion, ReadsAndWritesItsPartOfTheObject) {
  SharedObject object(32);
  object.Write(8, "abcd");
  const auto region = SystemRegion::Open("r", object.key(), 8, 16).value();
  char bytes[4];
  ASSERT_TRUE(region->Read(0, 4, bytes).ok());
  EXPECT_EQ(std::string(bytes, 4), "abcd");
  ASSERT_TRUE(region->Write(2, "xyz").ok());
  EXPECT_EQ(object.Read(8, 6), std::string("abxyz\0", 6));
}

TEST(SystemRegion, TakesKeysWithAndWithoutASlash) {
  const SharedObject object(8);
  EXPECT_TRUE(SystemRegion::Open("r", object.key(), 0, 8).ok());
  EXPECT_TRUE(SystemRegion::Open("r", object.key().substr(1), 0, 8).ok());
}

TEST(SystemRegion, RefusesKeysThatLeaveTheFolderOrAreReserved) {
  ExpectKeyRefused("", "key of 1 to 255 bytes");
  ExpectKeyRefused("/", "without '/'");
  ExpectKeyRefused("..", "without '/'");
  ExpectKeyRefused("/../etc/passwd", "without '/'");
  ExpectKeyRefused("//a", "without '/'");
  ExpectKeyRefused("a/b", "without '/'");
  ExpectKeyRefused("/inferd.cache", "reserved");
  ExpectKeyRefused("sem.lock", "reserved");
  ExpectKeyRefused(std::string("a\0b", 3), "control character");
  ExpectKeyRefused(std::string(300, 'k'), "got 300");
}

TEST(SystemRegion, RefusesWhatIsNotThereOrIsNoObject) {
  ExpectRefused(SystemRegion::Open("r", "/nobody-made-this", 0, 1).status(),
                absl::StatusCode::kNotFound, "/nobody-made-this");
  const std::string pipe = absl::StrCat("pipe-test-", getpid());
  ASSERT_EQ(mkfifo(("/dev/shm/" + pipe).c_str(), 0600), 0);
  ExpectRefused(SystemRegion::Open("r", pipe, 0, 1).status(),
                absl::StatusCode::kInvalidArgument, "no shared memory object");
  unlink(("/dev/shm/" + pipe).c_str());
  const std::string link = absl::StrCat("link-test-", getpid());
  ASSERT_EQ(symlink("/etc/passwd", ("/dev/shm/" + link).c_str()), 0);
  ExpectRefused(SystemRegion::Open("r", link, 0, 1).status(),
                absl::StatusCode::kInvalidArgument, "open");
  unlink(("/dev/shm/" + link).c_str());
}

TEST(SystemRegion, RefusesRangesPastTheObjectsEnd) {
  const SharedObject object(8);
  const auto code = [&](uint64_t offset, uint64_t bytes) {
    return SystemRegion::Open("r", object.key(), offset, bytes).status().code();
  };
  EXPECT_EQ(code(0, 8), absl::StatusCode::kOk);
  EXPECT_EQ(code(0, 9), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(1, 8), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(0, 0), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(kHuge, 8), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(8, kHuge), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(kHuge / 2, kHuge / 2), absl::StatusCode::kInvalidArgument);
}

TEST(SystemRegion, ChecksRangesWithoutOverflow) {
  const SharedObject object(8);
  const auto region = SystemRegion::Open("r", object.key(), 0, 8).value();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_TRUE(region->CheckRange(0, 8).ok());
  EXPECT_TRUE(region->CheckRange(8, 0).ok());
  for (const auto& [begin, count] : std::vector<std::pair<int64_t, int64_t>>{
           {0, 9}, {1, 8}, {9, 0}, {-1, 1}, {0, -1}, {kMost, kMost}, {1, kMost}, {kMost, 1}}) {
    EXPECT_FALSE(region->CheckRange(begin, count).ok()) << begin << " " << count;
  }
}

TEST(SystemRegion, AShrunkenObjectIsAnError) {
  SharedObject object(8192);
  const auto region = SystemRegion::Open("r", object.key(), 0, 8192).value();
  object.Truncate(4096);
  std::string bytes(8192, '\0');
  ExpectRefused(region->Read(0, 8192, bytes.data()), absl::StatusCode::kInvalidArgument,
                "has 4096 bytes, expected at least 8192");
  ExpectRefused(region->Write(0, bytes), absl::StatusCode::kInvalidArgument,
                "has 4096 bytes, expected at least 8192");
  EXPECT_TRUE(region->Read(0, 4096, bytes.data()).ok());
  object.Truncate(0);
  EXPECT_FALSE(region->Read(0, 1, bytes.data()).ok());
}

TEST(SystemRegion, OutlivesTheObjectsName) {
  std::shared_ptr<const SystemRegion> region;
  {
    SharedObject object(4);
    object.Write(0, "abcd");
    region = SystemRegion::Open("r", object.key(), 0, 4).value();
  }
  char bytes[4];
  EXPECT_TRUE(region->Read(0, 4, bytes).ok());
  EXPECT_EQ(std::string(bytes, 4), "abcd");
}

TEST(SystemRegion, RefusesBadNames) {
  const SharedObject object(8);
  for (const std::string& name : {std::string(), std::string(256, 'n'), std::string("a\nb")}) {
    ExpectRefused(SystemRegion::Open(name, object.key(), 0, 8).status(),
                  absl::StatusCode::kInvalidArgument, "name");
  }
}

}  // namespace
}  // namespace inferd
