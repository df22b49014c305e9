#include "server/rest/proto_json.h"

#include <gtest/gtest.h>

#include "proto/inference.pb.h"

namespace inferd {
namespace {

TEST(ProtoJson, NumbersAreNumbersAndUnsetMessagesAreLeftOut) {
  inference::ModelStatistics statistics;
  statistics.set_name("m");
  statistics.set_inference_count(5'000'000'000);
  statistics.mutable_inference_stats()->mutable_success()->set_ns(7);
  EXPECT_EQ(ProtoJson(statistics),
            R"({"name":"m","version":"","last_inference":0,"inference_count":5000000000,)"
            R"("execution_count":0,"inference_stats":{"success":{"count":0,"ns":7}},)"
            R"("batch_stats":[],"memory_usage":[],"response_stats":{}})");
}

TEST(ProtoJson, ListsMapsAndEnumsHaveTheirForm) {
  inference::ModelInput input;
  input.set_name("x\"");
  input.set_data_type(inference::TYPE_FP32);
  input.add_dims(-1);
  input.add_dims(3);
  const std::string json = ProtoJson(input);
  EXPECT_NE(json.find(R"("name":"x\"","data_type":"TYPE_FP32")"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("dims":[-1,3])"), std::string::npos) << json;
  inference::ModelMetadataResponse metadata;
  (*metadata.mutable_properties())["k"] = "v";
  EXPECT_NE(ProtoJson(metadata).find(R"("properties":{"k":"v"})"), std::string::npos);
}

TEST(ProtoJson, AParameterIsItsValue) {
  inference::LogSettingsResponse settings;
  (*settings.mutable_settings())["a"].set_bool_param(true);
  EXPECT_EQ(ProtoJson(settings), R"({"settings":{"a":true}})");
  inference::InferParameter parameter;
  EXPECT_EQ(ProtoJson(parameter), "null");
  parameter.set_double_param(1.5);
  EXPECT_EQ(ProtoJson(parameter), "1.5");
  parameter.set_uint64_param(UINT64_MAX);
  EXPECT_EQ(ProtoJson(parameter), "18446744073709551615");
}

TEST(ProtoJson, BytesAreBase64) {
  inference::ModelRepositoryParameter parameter;
  parameter.set_bytes_param("\xff\x01");
  EXPECT_EQ(ProtoJson(parameter), "\"/wE=\"");
}

}  // namespace
}  // namespace inferd
