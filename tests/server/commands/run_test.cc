#include "server/commands/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "server/commands/npy.h"
#include "tests/support/command_runner.h"
#include "tests/support/model_builder.h"

namespace inferd {
namespace {

using testing::CommandResult;
using ::testing::HasSubstr;
using testing::ReluModel;
using testing::RunCommand;
using testing::TemporaryFolder;

TEST(RunCommand, ReadsAndWritesNpyFiles) {
  TemporaryFolder folder;
  const std::string model = folder.Write("model.onnx", ReluModel().Bytes());
  const std::string input = folder.path() + "/x.npy";
  ASSERT_TRUE(WriteNpy(input, Tensor::FromValues<float>(Shape{2}, {-1, 2})).ok());
  const std::string out = folder.path() + "/out";
  const CommandResult result =
      RunCommand(AddRunCommand, {"run", model, "--input", "x=" + input, "--output-dir", out});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("y: float32[2] 0 2"));
  const auto output = ReadNpy(out + "/y.npy");
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(output->values<float>()[1], 2);
}

TEST(RunCommand, SeedsInputsThatAreNotGiven) {
  TemporaryFolder folder;
  const std::string model = folder.Write("model.onnx", ReluModel().Bytes());
  const CommandResult first = RunCommand(AddRunCommand, {"run", model});
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(first.out, RunCommand(AddRunCommand, {"run", model}).out);
}

TEST(RunCommand, KeepsOutputFilesInTheFolder) {
  TemporaryFolder folder;
  auto builder = ReluModel();
  builder.graph().mutable_node(0)->set_output(0, "../../y");
  builder.graph().mutable_output(0)->set_name("../../y");
  const std::string model = folder.Write("model.onnx", builder.Bytes());
  const std::string out = folder.path() + "/a/b";
  const CommandResult result = RunCommand(AddRunCommand, {"run", model, "--output-dir", out});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(std::filesystem::exists(out + "/_._.._y.npy")) << result.out;
}

TEST(RunCommand, SaysWhatIsWrong) {
  TemporaryFolder folder;
  const std::string model = folder.Write("model.onnx", ReluModel().Bytes());
  EXPECT_EQ(RunCommand(AddRunCommand, {"run"}).exit_code, 2);
  EXPECT_EQ(RunCommand(AddRunCommand, {"run", model, "--threads", "0"}).exit_code, 2);
  const CommandResult missing = RunCommand(AddRunCommand, {"run", "/does/not/exist.onnx"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("inferd run: cannot open /does/not/exist.onnx"));
  const CommandResult shape = RunCommand(AddRunCommand, {"run", model, "--shape", "x=3"});
  EXPECT_EQ(shape.exit_code, 1);
  EXPECT_THAT(shape.err, HasSubstr("input 'x'"));
}

}  // namespace
}  // namespace inferd
