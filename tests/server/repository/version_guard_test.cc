#include "server/repository/version_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "server/security/sha256.h"
#include "tests/server/repository/temporary_repository.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;

class VersionGuardTest : public ::testing::Test {
 protected:
  VersionGuardTest() {
    repository_.Write("m/1/model.onnx", "model");
    repository_.Write("m/1/model.onnx_data", "weights");
  }
  static std::string Line(const std::string& content, const std::string& path) {
    return absl::StrCat(Sha256Text(Sha256(content)), "  ", path, "\n");
  }
  // Writes the list; its path.
  std::string List(const std::string& lines) {
    repository_.Write("list", lines);
    return repository_.root() + "/list";
  }
  absl::StatusOr<VersionGuard> Admit(const std::string& list = "") {
    return VersionGuard::Admit(repository_.root() + "/m", 1, "model.onnx", list);
  }
  std::string Error(const std::string& list) {
    const auto guard = Admit(list);
    return guard.ok() ? "OK" : std::string(guard.status().message());
  }

  TemporaryRepository repository_;
};

TEST_F(VersionGuardTest, WithoutAListEveryModelFileWithinIsAdmitted) {
  const auto guard = Admit();
  ASSERT_TRUE(guard.ok()) << guard.status();
  EXPECT_EQ(guard->file_bytes(), 12);
  EXPECT_TRUE(absl::IsNotFound(
      VersionGuard::Admit(repository_.root() + "/m", 2, "model.onnx", "").status()));
  repository_.Write("../outside.onnx", "x");
  std::filesystem::create_symlink("../../../outside.onnx", repository_.root() + "/m/1/out.onnx");
  const auto out = VersionGuard::Admit(repository_.root() + "/m", 1, "out.onnx", "");
  EXPECT_THAT(std::string(out.status().message()), HasSubstr("leads out"));
  std::filesystem::remove(repository_.root() + "/../outside.onnx");
}

TEST_F(VersionGuardTest, AListAdmitsItsFilesWithTheirDigestsAlone) {
  const std::string model = Line("model", "m/1/model.onnx");
  const std::string data = Line("weights", "./m/1/model.onnx_data");
  EXPECT_EQ(Error(List(model + data)), "OK");
  EXPECT_THAT(Error(List(model)), HasSubstr("model.onnx_data' is not among the files"));
  EXPECT_THAT(Error(List(data)), HasSubstr("model.onnx' is not among the files"));
  EXPECT_THAT(Error(List(Line("other", "m/1/model.onnx") + data)),
              HasSubstr("model.onnx': expected the SHA-256 "));
  EXPECT_TRUE(absl::IsPermissionDenied(Admit(List("")).status()));
  EXPECT_THAT(Error(List("12 m/1/model.onnx")), HasSubstr("line 1: expected a SHA-256"));
  EXPECT_FALSE(CheckDigestList(repository_.root() + "/none").ok());
}

TEST_F(VersionGuardTest, ListedFilesMayBeLinksOfAMountedVolume) {
  std::filesystem::create_directories(repository_.root() + "/m/1/..2026");
  std::filesystem::rename(repository_.root() + "/m/1/model.onnx",
                          repository_.root() + "/m/1/..2026/model.onnx");
  std::filesystem::create_symlink("..2026", repository_.root() + "/m/1/..data");
  std::filesystem::create_symlink("..data/model.onnx", repository_.root() + "/m/1/model.onnx");
  EXPECT_EQ(Error(List(Line("model", "m/1/model.onnx") + Line("weights", "m/1/model.onnx_data"))),
            "OK");
}

TEST_F(VersionGuardTest, NoticesFilesThatChangeMeanwhile) {
  const auto guard = Admit();
  ASSERT_TRUE(guard.ok());
  EXPECT_TRUE(guard->CheckUnchanged().ok());
  repository_.Write("m/1/model.onnx", "other");
  EXPECT_TRUE(absl::IsUnavailable(guard->CheckUnchanged()));
}

}  // namespace
}  // namespace inferd
