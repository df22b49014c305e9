#include "server/commands/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/command_runner.h"
#include "tests/support/model_builder.h"

namespace inferd {
namespace {

using testing::CommandResult;
using ::testing::HasSubstr;
using testing::ModelBuilder;
using ::testing::Not;
using testing::ReluModel;
using testing::RunCommand;
using testing::TemporaryFolder;

TEST(InspectCommand, ShowsTheGraphBeforeAndAfter) {
  TemporaryFolder folder;
  const std::string model = folder.Write("model.onnx", ReluModel().Bytes());
  const CommandResult result = RunCommand(AddInspectCommand, {"inspect", model});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* part : {"input: x float32[2]", "output: y float32[2]", "opset: ai.onnx 28",
                           "as imported:", "optimized:", "Relu"}) {
    EXPECT_THAT(result.out, HasSubstr(part));
  }
  EXPECT_THAT(result.out, Not(HasSubstr("passes:")));
}

TEST(InspectCommand, ShowsPassesAndPlan) {
  TemporaryFolder folder;
  const std::string model = folder.Write("model.onnx", ReluModel().Bytes());
  const CommandResult result =
      RunCommand(AddInspectCommand, {"inspect", model, "--passes", "--plan"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("\npasses:\n"));
  EXPECT_THAT(result.out, HasSubstr("\nplan:\n"));
}

TEST(InspectCommand, SaysWhetherSequencesAreMixed) {
  TemporaryFolder folder;
  ModelBuilder builder;
  builder.NamedInput("x", DType::kFloat32, {"batch", "length"});
  builder.Node("Relu", {"x"}, {"y"});
  builder.Output("y");
  const std::string model = folder.Write("model.onnx", builder.Bytes());
  const CommandResult result = RunCommand(AddInspectCommand, {"inspect", model, "--passes"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("lengths mixed: every node keeps sequences apart"));
  EXPECT_THAT(result.out, HasSubstr("computed: input x is not of integers"));
  const CommandResult off = RunCommand(
      AddInspectCommand, {"inspect", model, "--passes", "--disable-pass", "pack_sequences"});
  EXPECT_THAT(off.out, HasSubstr("one length a batch: pack_sequences is switched off"));
}

TEST(InspectCommand, LeavesOutPassesByLevelAndByName) {
  TemporaryFolder folder;
  const std::string model = folder.Write("model.onnx", ReluModel().Bytes());
  const CommandResult none =
      RunCommand(AddInspectCommand, {"inspect", model, "--passes", "--optimization", "none"});
  ASSERT_EQ(none.exit_code, 0) << none.err;
  EXPECT_THAT(none.out, HasSubstr("fold_constants               switched off"));
  const CommandResult some =
      RunCommand(AddInspectCommand, {"inspect", model, "--passes", "--disable-pass", "fuse_gelu"});
  EXPECT_THAT(some.out, HasSubstr("fuse_gelu                    switched off"));
  EXPECT_THAT(some.out, Not(HasSubstr("fold_constants               switched off")));
}

}  // namespace
}  // namespace inferd
