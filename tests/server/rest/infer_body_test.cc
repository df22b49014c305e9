#include "server/rest/infer_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InferBodyTest : public ::testing::Test {
 protected:
  // A request whose binary data follow its JSON, where there are any.
  absl::Status Read(const std::string& json, const std::string& binary = "") {
    request_ = RestInferRequest();
    const std::string length = binary.empty() ? "" : absl::StrCat(json.size());
    return ReadInferBody(json + binary, length, &charge_, &request_);
  }
  std::string ErrorOf(const std::string& json, const std::string& binary = "") {
    const absl::Status status = Read(json, binary);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status << " for " << json;
    return std::string(status.message());
  }

  InflightBytes inflight_{1 << 20};
  InflightCharge charge_{&inflight_};
  RestInferRequest request_;
};

TEST_F(InferBodyTest, ReadsTensorsAsJson) {
  ASSERT_TRUE(Read(R"({"id":"r","inputs":[
      {"name":"a","shape":[2,1],"datatype":"INT8","data":[[1],[2]]},
      {"data":["x"],"datatype":"BYTES","shape":[1],"name":"b"}]})")
                  .ok());
  EXPECT_EQ(request_.message.id(), "r");
  EXPECT_EQ(request_.message.inputs(0).name(), "a");
  EXPECT_EQ(request_.message.inputs(0).datatype(), "INT8");
  EXPECT_THAT(request_.message.inputs(0).shape(), ElementsAre(2, 1));
  EXPECT_THAT(request_.message.raw_input_contents(),
              ElementsAre(std::string("\1\2"), std::string("\1\0\0\0x", 5)));
}

TEST_F(InferBodyTest, ReadsTensorsAsBinaryDataInTheirOrder) {
  ASSERT_TRUE(Read(R"({"inputs":[
      {"name":"a","shape":[2],"datatype":"INT8","parameters":{"binary_data_size":2}},
      {"name":"j","shape":[1],"datatype":"INT8","data":[7]},
      {"name":"b","shape":[3],"datatype":"UINT8","parameters":{"binary_data_size":3}}]})",
                   "abcde")
                  .ok());
  EXPECT_THAT(request_.message.raw_input_contents(), ElementsAre("ab", "\7", "cde"));
  EXPECT_TRUE(request_.message.inputs(0).parameters().empty());
}

TEST_F(InferBodyTest, BinaryDataMustBeExactlyWhatTheInputsName) {
  const std::string json = R"({"inputs":[{"name":"a","shape":[2],"datatype":"INT8",)"
                           R"("parameters":{"binary_data_size":2}}]})";
  EXPECT_THAT(ErrorOf(json, "a"), HasSubstr("input 'a': expected 2 bytes of binary data, got 1"));
  EXPECT_THAT(ErrorOf(json), HasSubstr("got 0"));
  EXPECT_THAT(ErrorOf(json, "abc"), HasSubstr("1 bytes of binary data are left"));
  EXPECT_THAT(ErrorOf(R"({"inputs":[]})", "abc"), HasSubstr("3 bytes"));
}

TEST_F(InferBodyTest, TheLengthOfTheJsonIsChecked) {
  for (const char* length : {"-1", "x", "3", "18446744073709551616"}) {
    const absl::Status status = ReadInferBody("{}", length, &charge_, &request_);
    EXPECT_THAT(std::string(status.message()), HasSubstr("Inference-Header-Content-Length"))
        << length;
  }
  EXPECT_TRUE(ReadInferBody("{}", "2", &charge_, &request_).ok());
  EXPECT_FALSE(ReadInferBody("{}", "1", &charge_, &request_).ok());
}

TEST_F(InferBodyTest, ParametersKeepTheirTypes) {
  ASSERT_TRUE(Read(R"({"parameters":{"b":true,"i":-1,"u":18446744073709551615,"d":1.5,"s":"t",
      "binary_data_output":true},"inputs":[]})")
                  .ok());
  const auto& parameters = request_.message.parameters();
  EXPECT_TRUE(parameters.at("b").bool_param());
  EXPECT_EQ(parameters.at("i").int64_param(), -1);
  EXPECT_EQ(parameters.at("u").uint64_param(), UINT64_MAX);
  EXPECT_EQ(parameters.at("d").double_param(), 1.5);
  EXPECT_EQ(parameters.at("s").string_param(), "t");
  EXPECT_EQ(parameters.size(), 5);
  EXPECT_TRUE(request_.IsBinary(0));
  EXPECT_THAT(ErrorOf(R"({"parameters":{"x":null}})"), HasSubstr("parameter 'x'"));
  EXPECT_THAT(ErrorOf(R"({"parameters":{"x":[1]}})"), HasSubstr("got an array"));
  EXPECT_THAT(ErrorOf(R"({"parameters":[]})"), HasSubstr("parameters: expected an object"));
  EXPECT_THAT(ErrorOf(R"({"parameters":{"binary_data_output":1}})"), HasSubstr("true or false"));
}

TEST_F(InferBodyTest, OutputsSayHowTheyGoBack) {
  ASSERT_TRUE(Read(R"({"parameters":{"binary_data_output":true},"inputs":[],"outputs":[
      {"name":"a"},{"name":"b","parameters":{"binary_data":false,"classification":3}}]})")
                  .ok());
  EXPECT_EQ(request_.message.outputs_size(), 2);
  EXPECT_TRUE(request_.IsBinary(0));
  EXPECT_FALSE(request_.IsBinary(1));
  EXPECT_EQ(request_.message.outputs(1).parameters().at("classification").int64_param(), 3);
  EXPECT_EQ(request_.message.outputs(1).parameters().size(), 1);
  EXPECT_THAT(ErrorOf(R"({"outputs":[{"name":"y","parameters":{"binary_data":"yes"}}]})"),
              HasSubstr("output 'y'"));
}

TEST_F(InferBodyTest, TensorsInSharedMemoryBringNoData) {
  ASSERT_TRUE(Read(R"({"inputs":[{"name":"a","shape":[2],"datatype":"INT8","parameters":
      {"shared_memory_region":"r","shared_memory_byte_size":2}}]})")
                  .ok());
  EXPECT_EQ(request_.message.raw_input_contents_size(), 0);
  EXPECT_THAT(ErrorOf(R"({"inputs":[{"name":"a","shape":[2],"datatype":"INT8","data":[1,2],
      "parameters":{"shared_memory_region":"r"}}]})"),
              HasSubstr("got several"));
}

TEST_F(InferBodyTest, WrongPartsAreNamed) {
  const std::pair<const char*, const char*> wrong[] = {
      {"[]", "the body: expected an object"},
      {"x", "expected JSON"},
      {R"({"id":1})", "id: expected a string, got a number"},
      {R"({"inputs":{}})", "inputs: expected an array"},
      {R"({"inputs":[1]})", "inputs[]: expected an object, got a number"},
      {R"({"outputs":[null]})", "outputs[]: expected an object, got null"},
      {R"({"inputs":[{"name":1}]})", "name: expected a string"},
      {R"({"inputs":[{"name":"x"}]})", "input 'x': shape is missing"},
      {R"({"inputs":[{"name":"x","shape":3}]})", "shape: expected an array"},
      {R"({"inputs":[{"name":"x","shape":[1.5]}]})", "whole numbers, got 1.5"},
      {R"({"inputs":[{"name":"x","shape":["1"]}]})", "whole numbers"},
      {R"({"inputs":[{"name":"x","shape":[1],"datatype":7}]})", "datatype: expected a string"},
      {R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP32"}]})", "input 'x': expected data"},
      {R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":1}]})", "expected an array"},
      {R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":["a"]}]})",
       "input 'x': element 0: expected FP32"},
      {R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1],"data":[2]}]})",
       "'data' is given twice"},
      {R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP32",)"
       R"("parameters":{"binary_data_size":-1}}]})",
       "a number of bytes"},
      {R"({"inputs":[],"inputs":[]})", "'inputs' is given twice"},
  };
  for (const auto& [json, message] : wrong) EXPECT_THAT(ErrorOf(json), HasSubstr(message)) << json;
}

TEST_F(InferBodyTest, WrongTypesAndShapesAreLeftToWhereAllRequestsAreChecked) {
  for (const char* input : {R"({"name":"x","shape":[1],"datatype":"FP99","data":[1]})",
                            R"({"name":"x","shape":[-1],"datatype":"FP32","data":[1]})",
                            R"({"name":"x","shape":[9223372036854775807,9223372036854775807],
                                "datatype":"FP32","data":[1]})"}) {
    EXPECT_TRUE(Read(absl::StrCat("{\"inputs\":[", input, "]}")).ok()) << input;
    EXPECT_EQ(request_.message.raw_input_contents(0), "");
  }
}

TEST_F(InferBodyTest, ABodyMayBeTheDataOfTheOnlyInput) {
  inference::ModelMetadataResponse model;
  auto* input = model.add_inputs();
  input->set_name("x");
  input->set_datatype("INT16");
  input->add_shape(-1);
  input->add_shape(2);
  ASSERT_TRUE(ReadRawBody("abcdefgh", model, &charge_, &request_).ok());
  EXPECT_THAT(request_.message.inputs(0).shape(), ElementsAre(2, 2));
  EXPECT_THAT(request_.message.raw_input_contents(), ElementsAre("abcdefgh"));
  EXPECT_TRUE(request_.IsBinary(0));
  EXPECT_FALSE(ReadRawBody("abcdef", model, &charge_, &request_).ok());
  EXPECT_FALSE(ReadRawBody("abc", model, &charge_, &request_).ok());
  input->set_datatype("BYTES");
  input->set_shape(1, 1);
  request_ = RestInferRequest();
  ASSERT_TRUE(ReadRawBody("text", model, &charge_, &request_).ok());
  EXPECT_THAT(request_.message.inputs(0).shape(), ElementsAre(1, 1));
  EXPECT_THAT(request_.message.raw_input_contents(), ElementsAre(std::string("\4\0\0\0text", 8)));
  model.add_inputs();
  const absl::Status several = ReadRawBody("text", model, &charge_, &request_);
  EXPECT_THAT(std::string(several.message()), HasSubstr("expected a model of one input"));
}

TEST_F(InferBodyTest, ManyInputsAreBounded) {
  std::string json = R"({"inputs":[{"name":"x","shape":[1],"datatype":"INT8","data":[1]})";
  for (int i = 0; i < 100'000; ++i) json += R"(,{"name":"x","shape":[1]})";
  json += "]}";
  ErrorOf(json);
}

}  // namespace
}  // namespace inferd
