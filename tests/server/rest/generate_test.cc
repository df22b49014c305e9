#include "server/rest/generate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class GenerateTest : public ::testing::Test {
 protected:
  GenerateTest() {
    AddInput("text", "BYTES", {-1, 1});
    AddInput("tokens", "INT8", {-1, -1});
    AddInput("pair", "INT8", {-1, 2});
  }
  void AddInput(const std::string& name, const std::string& datatype,
                const std::vector<int64_t>& shape) {
    auto* input = model_.add_inputs();
    input->set_name(name);
    input->set_datatype(datatype);
    for (const int64_t dim : shape) input->add_shape(dim);
  }
  absl::Status Read(const std::string& json) {
    request_ = RestInferRequest();
    return ReadGenerateBody(json, model_, &charge_, &request_);
  }
  std::string ErrorOf(const std::string& json) {
    const absl::Status status = Read(json);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status << " for " << json;
    return std::string(status.message());
  }

  inference::ModelMetadataResponse model_;
  InflightBytes inflight_{1 << 20};
  InflightCharge charge_{&inflight_};
  RestInferRequest request_;
};

TEST_F(GenerateTest, MembersAreInputsAndParametersByTheirNames) {
  const absl::Status status = Read(
      R"({"id":"r","text":"hi","stream":false,"parameters":{"tokens":[1,2,3],"temperature":0.5}})");
  ASSERT_TRUE(status.ok()) << status;
  const auto& message = request_.message;
  EXPECT_EQ(message.id(), "r");
  ASSERT_EQ(message.inputs_size(), 2);
  EXPECT_THAT(message.inputs(0).shape(), ElementsAre(1, 1));
  EXPECT_THAT(message.inputs(1).shape(), ElementsAre(1, 3));
  EXPECT_THAT(message.raw_input_contents(),
              ElementsAre(std::string("\2\0\0\0hi", 6), std::string("\1\2\3")));
  EXPECT_EQ(message.parameters().at("temperature").double_param(), 0.5);
  EXPECT_FALSE(message.parameters().at("stream").bool_param());
  EXPECT_EQ(message.parameters().size(), 2);
}

TEST_F(GenerateTest, ArraysAreFittedIntoTheShape) {
  ASSERT_TRUE(Read(R"({"pair":[1,2,3,4],"text":["a","b"]})").ok());
  EXPECT_THAT(request_.message.inputs(0).shape(), ElementsAre(2, 2));
  EXPECT_THAT(request_.message.inputs(1).shape(), ElementsAre(2, 1));
  ASSERT_TRUE(Read(R"({"pair":[[1,2],[3,4]]})").ok());
  EXPECT_THAT(request_.message.inputs(0).shape(), ElementsAre(2, 2));
  EXPECT_THAT(ErrorOf(R"({"pair":[1,2,3]})"),
              HasSubstr("input 'pair': 3 elements do not fit into the shape [-1,2]"));
  EXPECT_THAT(ErrorOf(R"({"pair":5})"), HasSubstr("1 elements do not fit"));
}

TEST_F(GenerateTest, WrongPartsAreNamed) {
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("expected an object"));
  EXPECT_THAT(ErrorOf(R"({"text":1})"), HasSubstr("input 'text': element 0: expected BYTES"));
  EXPECT_THAT(ErrorOf(R"({"text":null})"), HasSubstr("got null"));
  EXPECT_THAT(ErrorOf(R"({"text":{}})"), HasSubstr("input 'text'"));
  EXPECT_THAT(ErrorOf(R"({"text":[{}]})"), HasSubstr("objects"));
  EXPECT_THAT(ErrorOf(R"({"other":[1]})"), HasSubstr("parameter 'other'"));
  EXPECT_THAT(ErrorOf(R"({"parameters":{"parameters":{}}})"), HasSubstr("'parameters'"));
}

TEST_F(GenerateTest, RepliesAreFlat) {
  inference::ModelInferResponse response;
  response.set_model_name("m");
  response.set_model_version("1");
  auto* one = response.add_outputs();
  one->set_name("text");
  one->set_datatype("BYTES");
  one->add_shape(1);
  response.add_raw_output_contents(std::string("\2\0\0\0hi", 6));
  auto* two = response.add_outputs();
  two->set_name("scores");
  two->set_datatype("INT8");
  two->add_shape(2);
  response.add_raw_output_contents("\1\2");
  const std::string json = R"({"model_name":"m","model_version":"1","text":"hi","scores":[1,2]})";
  const auto reply = EncodeGenerateReply(response, false, 1 << 20);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->body, json);
  const auto event = EncodeGenerateReply(response, true, 1 << 20);
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->body, "data: " + json + "\n\n");
  EXPECT_EQ(event->content_type, "text/event-stream; charset=utf-8");
}

}  // namespace
}  // namespace inferd
