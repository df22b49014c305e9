#include "server/commands/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/command_runner.h"
#include "tests/support/model_builder.h"

namespace inferd {
namespace {

using testing::CommandResult;
using ::testing::HasSubstr;
using testing::ReluModel;
using testing::RunCommand;
using testing::TemporaryFolder;

TEST(BenchCommand, PrintsTheKeysOfTheDesign) {
  TemporaryFolder folder;
  const std::string model = folder.Write("model.onnx", ReluModel().Bytes());
  const CommandResult result =
      RunCommand(AddBenchCommand, {"bench", model, "--seconds", "0.01", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("\"latency_ms\": {\"p50\": "));
  for (const char* key : {"p90", "p99", "mean", "cpu_seconds", "peak_rss_bytes", "load_seconds"}) {
    EXPECT_THAT(result.out, HasSubstr("\"" + std::string(key) + "\": "));
  }
  EXPECT_THAT(result.out, HasSubstr("\"precision\": \"fp32\", \"provider\": \"cpu\", "
                                    "\"threads\": 1"));
}

TEST(BenchCommand, PrintsATableForPeople) {
  TemporaryFolder folder;
  const std::string model = folder.Write("model.onnx", ReluModel().Bytes());
  const CommandResult result =
      RunCommand(AddBenchCommand, {"bench", model, "--seconds", "0", "--provider", "portable"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("portable, fp32, 1 thread"));
  EXPECT_THAT(result.out, HasSubstr("inputs     x=float32[2]"));
}

TEST(BenchCommand, ProfilesSteps) {
  TemporaryFolder folder;
  const std::string model = folder.Write("model.onnx", ReluModel().Bytes());
  CommandResult result =
      RunCommand(AddBenchCommand, {"bench", model, "--seconds", "0", "--profile"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("1 steps"));
  result = RunCommand(AddBenchCommand, {"bench", model, "--seconds", "0", "--profile", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("\"steps\": [{\"node\": "));
  EXPECT_EQ(result.out.substr(result.out.size() - 4), "}]}\n");
}

TEST(BenchCommand, WritesATrace) {
  TemporaryFolder folder;
  const std::string model = folder.Write("model.onnx", ReluModel().Bytes());
  const std::string path = folder.path() + "/trace.json";
  const CommandResult result =
      RunCommand(AddBenchCommand, {"bench", model, "--seconds", "0", "--trace", path});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::ifstream file(path);
  const std::string trace{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(trace, HasSubstr("\"name\": \"Relu\", \"cat\": \"step\""));
}

TEST(BenchCommand, SaysWhatIsWrong) {
  TemporaryFolder folder;
  const std::string model = folder.Write("model.onnx", ReluModel().Bytes());
  const CommandResult result = RunCommand(
      AddBenchCommand, {"bench", model, "--seconds", "0", "--trace", folder.path() + "/no/where"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("/no/where'"));
  EXPECT_EQ(RunCommand(AddBenchCommand, {"bench", "m", "--precision", "fp8"}).exit_code, 2);
  EXPECT_EQ(RunCommand(AddBenchCommand, {"bench", "/does/not/exist.onnx"}).exit_code, 1);
}

}  // namespace
}  // namespace inferd
