#include "server/commands/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/command_runner.h"

namespace inferd {
namespace {

using testing::CommandResult;
using ::testing::HasSubstr;
using testing::RunCommand;
using testing::TemporaryFolder;

const std::vector<std::string> kFreePorts = {"--grpc-port",    "0", "--http-port", "0",
                                             "--metrics-port", "0"};

CommandResult Doctor(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "doctor");
  arguments.insert(arguments.end(), kFreePorts.begin(), kFreePorts.end());
  return RunCommand(AddDoctorCommand, arguments);
}

TEST(DoctorCommand, ALineSaysWhatWasFound) {
  const TemporaryFolder folder;
  folder.Write("m/1/model.onnx", "x");
  const CommandResult result = Doctor({"--model-repository", folder.path()});
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_THAT(result.out, HasSubstr("ok    model m"));
  EXPECT_THAT(result.out, HasSubstr("cpu features"));
}

TEST(DoctorCommand, FailuresHaveAdviceAndTheExitCodeOne) {
  const CommandResult result = Doctor({"--model-repository", "/nowhere"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("fail  model repository"));
  EXPECT_THAT(result.out, HasSubstr(" -> name a folder"));
}

TEST(DoctorCommand, TakesTheDaemonsConfigFile) {
  const TemporaryFolder folder;
  folder.Write("models/m/1/model.onnx", "x");
  const std::string config = folder.Write(
      "server.pbtxt", "model_repository: '" + folder.path() + "/models' cache_dir: '/nowhere'");
  const CommandResult result = Doctor({"--config", config});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("model m"));
  EXPECT_THAT(result.out, HasSubstr("'/nowhere' is no folder"));
  EXPECT_EQ(Doctor({"--config", "/nowhere"}).exit_code, 2);
}

TEST(DoctorCommand, JsonIsAListOfObjects) {
  const CommandResult result = Doctor({"--json", "--model-repository", "/no\"where"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, ::testing::StartsWith("[{\"check\": \"cpu quota\", \"level\": \""));
  EXPECT_THAT(result.out, HasSubstr("/no\\\"where"));
  EXPECT_THAT(result.out, ::testing::EndsWith("}]\n"));
}

}  // namespace
}  // namespace inferd
