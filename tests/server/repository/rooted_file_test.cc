#include "server/repository/rooted_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/repository/temporary_repository.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;

class RootedFileTest : public ::testing::Test {
 protected:
  RootedFileTest() : root_(folder_.root() + "/root") {
    folder_.Write("secret", "secret");
    folder_.Write("root/m/1/model.onnx", "model");
    folder_.Write("root/shared/weights", "weights");
  }
  void Link(const std::string& target, const std::string& name) {
    std::filesystem::create_symlink(target, root_ + "/" + name);
  }
  std::string Read(const std::string& relative) {
    const auto bytes = ReadFileBeneath(root_, relative, 100);
    return bytes.ok() ? *bytes : std::string(bytes.status().message());
  }

  TemporaryRepository folder_;
  const std::string root_;
};

TEST_F(RootedFileTest, FollowsLinksThatStayWithin) {
  EXPECT_EQ(Read("m/1/model.onnx"), "model");
  Link("../../shared/weights", "m/1/weights");
  EXPECT_EQ(Read("m/1/weights"), "weights");
  // As a mounted Kubernetes volume lies there.
  folder_.Write("root/k/1/..2026/model.onnx", "mounted");
  Link("..2026", "k/1/..data");
  Link("..data/model.onnx", "k/1/model.onnx");
  EXPECT_EQ(Read("k/1/model.onnx"), "mounted");
}

TEST_F(RootedFileTest, RefusesWhateverLeadsOut) {
  Link("../../../secret", "m/1/relative");
  Link(folder_.root() + "/secret", "m/1/absolute");
  Link("..", "up");
  Link(root_ + "/shared/weights", "m/1/inside");
  for (const char* name :
       {"m/1/relative", "m/1/absolute", "up/secret", "../secret", "m/../../secret", "m/1/inside"}) {
    EXPECT_THAT(Read(name), HasSubstr("leads out of the model repository")) << name;
  }
  EXPECT_FALSE(OpenBeneath(root_, "/etc/passwd", O_RDONLY).ok());
}

TEST_F(RootedFileTest, SaysWhatElseIsWrong) {
  EXPECT_TRUE(absl::IsNotFound(ReadFileBeneath(root_, "m/2/model.onnx", 100).status()));
  EXPECT_TRUE(absl::IsNotFound(ReadFileBeneath(root_ + "/none", "x", 100).status()));
  EXPECT_THAT(Read("m"), HasSubstr("expected a file"));
  folder_.Write("root/large", std::string(101, 'x'));
  EXPECT_THAT(Read("large"), HasSubstr("expected at most 100 bytes, got 101"));
  Link("loop", "loop");
  EXPECT_FALSE(ReadFileBeneath(root_, "loop", 100).ok());
}

}  // namespace
}  // namespace inferd
