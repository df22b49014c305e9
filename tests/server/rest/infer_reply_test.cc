#include "server/rest/infer_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

inference::ModelInferResponse Response() {
  inference::ModelInferResponse response;
  response.set_model_name("m");
  response.set_model_version("3");
  response.set_id("r");
  auto* first = response.add_outputs();
  first->set_name("a");
  first->set_datatype("INT8");
  first->add_shape(1);
  first->add_shape(2);
  response.add_raw_output_contents("\1\2");
  auto* second = response.add_outputs();
  second->set_name("b");
  second->set_datatype("BYTES");
  second->add_shape(1);
  response.add_raw_output_contents(std::string("\1\0\0\0x", 5));
  return response;
}

TEST(InferReply, OutputsAreJsonUnlessAskedForOtherwise) {
  const auto reply = EncodeInferReply(RestInferRequest(), Response(), 1 << 20);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->body, R"({"id":"r","model_name":"m","model_version":"3","outputs":[)"
                         R"({"name":"a","datatype":"INT8","shape":[1,2],"data":[1,2]},)"
                         R"({"name":"b","datatype":"BYTES","shape":[1],"data":["x"]}]})");
  EXPECT_EQ(reply->content_type, "application/json");
  EXPECT_TRUE(reply->headers.empty());
}

TEST(InferReply, BinaryOutputsFollowTheJson) {
  RestInferRequest request;
  request.binary_outputs = {true, false};
  const auto reply = EncodeInferReply(request, Response(), 1 << 20);
  ASSERT_TRUE(reply.ok()) << reply.status();
  const std::string json = R"({"id":"r","model_name":"m","model_version":"3","outputs":[)"
                           R"({"name":"a","datatype":"INT8","shape":[1,2],)"
                           R"("parameters":{"binary_data_size":2}},)"
                           R"({"name":"b","datatype":"BYTES","shape":[1],"data":["x"]}]})";
  EXPECT_EQ(reply->body, json + "\1\2");
  EXPECT_EQ(reply->content_type, "application/octet-stream");
  EXPECT_THAT(reply->headers, ElementsAre(std::make_pair("Inference-Header-Content-Length",
                                                         std::to_string(json.size()))));
}

TEST(InferReply, AnOutputInSharedMemoryHasNoBinaryData) {
  inference::ModelInferResponse response = Response();
  (*response.mutable_outputs(0)->mutable_parameters())["shared_memory_region"].set_string_param(
      "r");
  response.mutable_raw_output_contents(0)->clear();
  const auto reply = EncodeInferReply(RestInferRequest(), response, 1 << 20);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_THAT(reply->body, HasSubstr(R"("binary_data_size":0)"));
  EXPECT_THAT(reply->body, HasSubstr(R"("shared_memory_region":"r")"));
  EXPECT_THAT(reply->body, Not(HasSubstr(R"("data":[1,2])")));
}

TEST(InferReply, AnOutputWithoutJsonFormIsAnError) {
  inference::ModelInferResponse response = Response();
  response.mutable_outputs(0)->set_datatype("BF16");
  const auto reply = EncodeInferReply(RestInferRequest(), response, 1 << 20);
  EXPECT_TRUE(absl::IsInvalidArgument(reply.status()));
  EXPECT_THAT(std::string(reply.status().message()), HasSubstr("output 'a'"));
  RestInferRequest binary;
  binary.binary_by_default = true;
  EXPECT_TRUE(EncodeInferReply(binary, response, 1 << 20).ok());
}

TEST(InferReply, ItsSizeIsBounded) {
  inference::ModelInferResponse response = Response();
  response.set_raw_output_contents(0, std::string(1000, '\1'));
  EXPECT_TRUE(
      absl::IsResourceExhausted(EncodeInferReply(RestInferRequest(), response, 500).status()));
}

}  // namespace
}  // namespace inferd
