#include "server/rpc/infer_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inferd {
namespace {

using inference::InferParameter;
using ::testing::HasSubstr;

InferParameter Int64(int64_t value) {
  InferParameter parameter;
  parameter.set_int64_param(value);
  return parameter;
}
InferParameter Uint64(uint64_t value) {
  InferParameter parameter;
  parameter.set_uint64_param(value);
  return parameter;
}
InferParameter Bool(bool value) {
  InferParameter parameter;
  parameter.set_bool_param(value);
  return parameter;
}
InferParameter Text(const std::string& value) {
  InferParameter parameter;
  parameter.set_string_param(value);
  return parameter;
}

absl::StatusOr<InferParameters> Read(const std::string& name, const InferParameter& value) {
  ParameterMap parameters;
  parameters[name] = value;
  return ReadRequestParameters(parameters);
}

void ExpectRefused(const std::string& name, const InferParameter& value) {
  const absl::Status status = Read(name, value).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(name));
}

TEST(InferParameters, ReadsPriorityAsEitherInteger) {
  EXPECT_EQ(Read("priority", Uint64(3))->priority, 3u);
  EXPECT_EQ(Read("priority", Int64(2))->priority, 2u);
  EXPECT_EQ(ReadRequestParameters(ParameterMap())->priority, 0u);
  ExpectRefused("priority", Int64(-1));
  ExpectRefused("priority", Uint64(uint64_t{1} << 32));
  ExpectRefused("priority", Text("1"));
}

TEST(InferParameters, ReadsTheTimeoutInMicroseconds) {
  EXPECT_EQ(Read("timeout", Int64(1500))->queue_timeout, absl::Microseconds(1500));
  EXPECT_EQ(Read("timeout", Int64(0))->queue_timeout, std::nullopt);
  EXPECT_TRUE(Read("timeout", Uint64(~0ull)).ok());
  ExpectRefused("timeout", Int64(-1));
  ExpectRefused("timeout", Bool(true));
}

TEST(InferParameters, RefusesSequences) {
  ExpectRefused("sequence_id", Int64(7));
  ExpectRefused("sequence_id", Text("a"));
  ExpectRefused("sequence_start", Bool(true));
  ExpectRefused("sequence_end", Bool(true));
}

TEST(InferParameters, TakesValuesThatMeanNoSequence) {
  EXPECT_TRUE(Read("sequence_id", Int64(0)).ok());
  EXPECT_TRUE(Read("sequence_id", Text("")).ok());
  EXPECT_TRUE(Read("sequence_start", Bool(false)).ok());
  EXPECT_TRUE(Read("sequence_end", Bool(false)).ok());
}

TEST(InferParameters, TakesTheEmptyFinalResponseSwitch) {
  EXPECT_TRUE(Read("triton_enable_empty_final_response", Bool(true)).ok());
  ExpectRefused("triton_enable_empty_final_response", Int64(1));
}

TEST(InferParameters, RefusesOtherReservedNames) { ExpectRefused("triton_magic", Bool(true)); }

TEST(InferParameters, TakesTheClientsOwnNames) {
  EXPECT_TRUE(Read("tenant", Text("blue")).ok());
  EXPECT_TRUE(Read("weight", Int64(-3)).ok());
}

TEST(InferParameters, ReadsWhetherTimingsAreAskedFor) {
  EXPECT_FALSE(Read("tenant", Text("blue"))->timings);
  EXPECT_TRUE(Read("inferd_timings", Bool(true))->timings);
  ExpectRefused("inferd_timings", Int64(1));
}

TEST(InferParameters, RefusesAParameterWithoutValue) { ExpectRefused("tenant", InferParameter()); }

TEST(InferParameters, ReadsWhereATensorLiesInSharedMemory) {
  ParameterMap parameters;
  parameters["mine"] = Bool(true);
  EXPECT_EQ(ReadTensorParameters(parameters)->region, "");
  parameters["shared_memory_region"] = Text("r");
  parameters["shared_memory_offset"] = Int64(8);
  parameters["shared_memory_byte_size"] = Int64(64);
  const absl::StatusOr<TensorParameters> read = ReadTensorParameters(parameters);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->region, "r");
  EXPECT_EQ(read->region_offset, 8);
  EXPECT_EQ(read->region_bytes, 64);
}

TEST(InferParameters, RefusesPlacesInSharedMemoryThatCannotBe) {
  const auto expect_refused = [](std::map<std::string, InferParameter> given,
                                 const std::string& text) {
    ParameterMap parameters(given.begin(), given.end());
    const absl::Status status = ReadTensorParameters(parameters).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(text));
  };
  expect_refused({{"shared_memory_region", Int64(1)}}, "a string");
  expect_refused({{"shared_memory_region", Text("")}}, "name");
  expect_refused({{"shared_memory_byte_size", Int64(1)}}, "expected 'shared_memory_region'");
  expect_refused({{"shared_memory_region", Text("r")}, {"shared_memory_byte_size", Int64(-1)}},
                 "expected >= 0");
  expect_refused({{"shared_memory_region", Text("r")}, {"shared_memory_offset", Text("1")}},
                 "an int64");
  InferParameter large;
  large.set_uint64_param(uint64_t{1} << 63);
  expect_refused({{"shared_memory_region", Text("r")}, {"shared_memory_offset", large}}, "2^63");
}

TEST(InferParameters, ReadsHowManyClassesAreAskedFor) {
  ParameterMap parameters;
  parameters["classification"] = Int64(3);
  EXPECT_EQ(ReadTensorParameters(parameters)->classes, 3);
  for (const InferParameter& wrong : {Int64(0), Int64(-1), Text("3")}) {
    parameters["classification"] = wrong;
    EXPECT_TRUE(absl::IsInvalidArgument(ReadTensorParameters(parameters).status()));
  }
}

}  // namespace
}  // namespace inferd
