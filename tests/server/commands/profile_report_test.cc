#include "server/commands/profile_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inferd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

StepTime Time(double start_ms, double milliseconds) {
  return {absl::Milliseconds(start_ms), absl::Milliseconds(milliseconds)};
}

// A convolution of 3 ms between two equal Relus of 1 ms and 2 ms, run three times; one Relu's first
// run was slow.
ModelProfile SmallProfile() {
  ModelProfile profile;
  const StepProfile relu = {"relu_\"a\"", "Relu", "cpu", "elementwise", "float32[8]", 0, 2'000'000};
  const StepProfile conv = {"conv", "Conv", "cpu", "jit", "float32[8]", 6e8, 3'000'000};
  profile.steps = {relu, conv, relu};
  profile.steps[2].name = "relu_b";
  profile.runs = {{Time(0, 50), Time(50, 3), Time(53, 2)},
                  {Time(0, 1), Time(1, 3), Time(4, 2)},
                  {Time(0, 1), Time(1, 3), Time(4, 2)}};
  return profile;
}

TEST(ProfileReport, ListsTheSlowestStepFirstByItsMedian) {
  const std::string table = ProfileTable(SmallProfile());
  EXPECT_THAT(table, HasSubstr("3 runs, 3 steps, 6.000 ms"));
  const std::string steps = table.substr(table.find("node"));
  EXPECT_LT(steps.find("conv\n"), steps.find("relu_b\n"));
  EXPECT_LT(steps.find("relu_b\n"), steps.find("relu_\"a\"\n"));
  EXPECT_THAT(steps, HasSubstr("3.000  50.0%    200.0      1.0      3.000  Conv"));
  EXPECT_THAT(steps, HasSubstr("1.000  16.7%        -      2.0      2.000  Relu"));
}

TEST(ProfileReport, SumsUpStepsOfOneOperatorAndKernel) {
  const std::string table = ProfileTable(SmallProfile());
  const std::string operators = table.substr(0, table.find("node"));
  EXPECT_THAT(operators, HasSubstr("3.000  50.0%        -      1.3      4.000  Relu"));
}

TEST(ProfileReport, GivesStepsAsJsonInTheirOrder) {
  const std::string json = ProfileJson(SmallProfile());
  EXPECT_EQ(json.find("[{\"node\": \"relu_\\\"a\\\"\", \"op\": \"Relu\""), 0u);
  EXPECT_THAT(json, HasSubstr("\"ms\": 3.000000, \"flops\": 600000000, \"bytes\": 3000000}"));
}

TEST(ProfileReport, TracesRunsOneAfterTheOther) {
  const std::string trace = ChromeTrace(SmallProfile());
  EXPECT_EQ(trace.find("{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n{"), 0u);
  EXPECT_THAT(trace,
              HasSubstr("\"name\": \"run 0\", \"cat\": \"run\", \"ph\": \"X\", \"ts\": 0.000, "
                        "\"dur\": 55000.000"));
  EXPECT_THAT(trace, HasSubstr("\"name\": \"Conv\", \"cat\": \"step\", \"ph\": \"X\", "
                               "\"ts\": 56000.000, \"dur\": 3000.000"));
}

TEST(ProfileReport, TracesOnlyTheLastOfManyRuns) {
  ModelProfile profile = SmallProfile();
  profile.runs.resize(1000, profile.runs[1]);
  const std::string trace = ChromeTrace(profile);
  EXPECT_THAT(trace, Not(HasSubstr("\"run 979\"")));
  EXPECT_THAT(trace, HasSubstr("\"run 980\""));
  EXPECT_THAT(trace, HasSubstr("\"run 999\""));
}

TEST(ProfileReport, TakesAPlanWithoutSteps) {
  ModelProfile profile;
  profile.runs.resize(5);
  EXPECT_THAT(ProfileTable(profile), HasSubstr("5 runs, 0 steps"));
  EXPECT_EQ(ProfileJson(profile), "[]");
  EXPECT_THAT(ChromeTrace(profile), HasSubstr("\n]}\n"));
}

}  // namespace
}  // namespace inferd
