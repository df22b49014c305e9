#include "config/text_proto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/model_config.pb.h"

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TextProto, ListsTheFieldsThatTheTextSets) {
  inference::ModelConfig config;
  std::set<std::string> fields;
  ASSERT_TRUE(ParseTextProto("max_batch_size: 0 name: \"\"", "file", &config, &fields).ok());
  EXPECT_THAT(fields, ElementsAre("max_batch_size", "name"));
}

TEST(TextProto, SaysWhatAndWhereWhenTextDoesNotParse) {
  inference::ModelConfig config;
  const absl::Status status = ParseTextProto("name: \"m\"\nplatform: }", "the config", &config);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the config, line 2, column 11"));
}

TEST(TextProto, RefusesAHugeText) {
  inference::ModelConfig config;
  EXPECT_FALSE(ParseTextProto(std::string(5 << 20, ' '), "file", &config).ok());
}

TEST(TextProto, RefusesBytesThatAreNoText) {
  inference::ModelConfig config;
  EXPECT_FALSE(ParseTextProto(std::string("\0\xff\x80\x01", 4), "file", &config).ok());
}

}  // namespace
}  // namespace inferd
