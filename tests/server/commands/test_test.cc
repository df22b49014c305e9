#include "server/commands/test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/command_runner.h"
#include "tests/support/model_builder.h"

namespace inferd {
namespace {

using testing::CommandResult;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::ReluModel;
using testing::RunCommand;
using testing::TemporaryFolder;

std::string FloatsFile(std::vector<float> values) {
  ::onnx::TensorProto proto;
  proto.set_data_type(::onnx::TensorProto::FLOAT);
  proto.add_dims(static_cast<int64_t>(values.size()));
  for (float value : values) proto.add_float_data(value);
  return proto.SerializeAsString();
}

// A test of Relu that expects `second` for the second element, which is 2.
void WriteTest(const TemporaryFolder& folder, const std::string& name, float second) {
  folder.Write(name + "/model.onnx", ReluModel().Bytes());
  folder.Write(name + "/test_data_set_0/input_0.pb", FloatsFile({-1, 2}));
  folder.Write(name + "/test_data_set_0/output_0.pb", FloatsFile({0, second}));
}

TEST(TestCommand, CountsWhatPassesFailsAndIsSkipped) {
  TemporaryFolder folder;
  WriteTest(folder, "right", 2);
  WriteTest(folder, "wrong", 3);
  folder.Write("nothing/readme.txt", "no test");
  const CommandResult result = RunCommand(AddTestCommand, {"test", folder.path()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("FAILED " + folder.path() +
                                    "/wrong: test_data_set_0: output "
                                    "'y': 1 of 2 elements"));
  EXPECT_THAT(result.out, EndsWith("\n1 passed, 1 failed, 1 skipped\n"));
}

TEST(TestCommand, TakesSingleFoldersAndTolerances) {
  TemporaryFolder folder;
  WriteTest(folder, "wrong", 3);
  const std::string test = folder.path() + "/wrong";
  EXPECT_EQ(RunCommand(AddTestCommand, {"test", test}).exit_code, 1);
  const CommandResult loose = RunCommand(AddTestCommand, {"test", "--rtol", "0.5", test});
  EXPECT_EQ(loose.exit_code, 0);
  EXPECT_EQ(loose.out, "1 passed, 0 failed, 0 skipped\n");
}

TEST(TestCommand, FailsTestsWhoseFilesAreBroken) {
  TemporaryFolder folder;
  WriteTest(folder, "broken", 2);
  folder.Write("broken/test_data_set_0/output_0.pb", "\xff\xff\xff");
  const CommandResult result = RunCommand(AddTestCommand, {"test", folder.path()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("output_0.pb"));
}

}  // namespace
}  // namespace inferd
