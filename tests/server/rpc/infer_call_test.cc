#include "server/rpc/infer_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <limits>
#include <utility>

#include "absl/time/clock.h"
#include "engine/device_monitor.h"
#include "server/rpc/infer_parameters.h"
#include "server/rpc/shared_memory_calls.h"
#include "tests/server/rpc/fake_repository.h"
#include "tests/server/rpc/infer_request_builder.h"
#include "tests/server/rpc/shared_object.h"

namespace inferd {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int64_t kMaxReply = 1 << 20;

std::string Text(const absl::Status& status) { return std::string(status.message()); }

// A model with inputs A float32[?] and B string[?], and outputs C = A and D = B.
absl::StatusOr<std::unique_ptr<Model>> TwoInputs() {
  return std::make_unique<FakeModel>(
      std::vector<TensorInfo>{FakeTensorInfo("A", DType::kFloat32, {-1, 1}),
                              FakeTensorInfo("B", DType::kString, {-1, 1})},
      std::vector<TensorInfo>{FakeTensorInfo("C", DType::kFloat32, {-1, 1}),
                              FakeTensorInfo("D", DType::kString, {-1, 1})});
}

class InferCallTest : public ::testing::Test {
 protected:
  InferCallTest() {
    fake_.AddIdentity("m", 1);
    fake_.AddIdentity("m", 3);
    fake_.Add("two", 1, TwoInputs);
    fake_.Add("broken", 1, [] { return absl::InvalidArgumentError("not an ONNX file"); });
    repository_ = &fake_.Start();
  }

  // Runs one call to its end.
  absl::Status Infer(const ModelInferRequest& request, ModelInferResponse* response,
                     absl::Time deadline = absl::InfiniteFuture()) {
    std::promise<absl::Status> done;
    InferCall call(repository_, &inflight_, kMaxReply, features_);
    call.Start(request, response, absl::Now(), deadline,
               [&](const absl::Status& status) { done.set_value(status); });
    return done.get_future().get();
  }
  void ExpectRefused(const ModelInferRequest& request, absl::StatusCode code,
                     const std::string& text) {
    ModelInferResponse response;
    const absl::Status status = Infer(request, &response);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(Text(status), HasSubstr(text));
    EXPECT_THAT(Text(status), StartsWith("[request id: r1] "));
  }
  void ExpectInvalid(const ModelInferRequest& request, const std::string& text) {
    ExpectRefused(request, absl::StatusCode::kInvalidArgument, text);
    ExpectRefused(request, absl::StatusCode::kInvalidArgument, request.model_name());
  }

  FakeRepository fake_;
  InflightBytes inflight_{1 << 20};
  InferFeatures features_;
  ModelRepository* repository_ = nullptr;
};

ModelInferRequest TwoInputRequest() {
  ModelInferRequest request;
  request.set_model_name("two");
  request.set_id("r1");
  AddRawInput(&request, "B", "BYTES", {2, 1}, std::string("\2\0\0\0hi\0\0\0\0", 10));
  AddRawInput(&request, "A", "FP32", {2, 1}, RawFloats({3, 4}));
  return request;
}

TEST_F(InferCallTest, AnswersWithAllOutputs) {
  ModelInferResponse response;
  ASSERT_TRUE(Infer(TwoInputRequest(), &response).ok());
  EXPECT_EQ(response.id(), "r1");
  EXPECT_EQ(response.model_name(), "two");
  EXPECT_EQ(response.model_version(), "1");
  ASSERT_EQ(response.outputs_size(), 2);
  ASSERT_EQ(response.raw_output_contents_size(), 2);
  EXPECT_EQ(response.outputs(0).name(), "C");
  EXPECT_EQ(response.outputs(0).datatype(), "FP32");
  EXPECT_EQ(response.outputs(0).shape(0), 2);
  EXPECT_EQ(response.raw_output_contents(0), RawFloats({3, 4}));
  EXPECT_EQ(response.outputs(1).datatype(), "BYTES");
  EXPECT_EQ(response.raw_output_contents(1), std::string("\2\0\0\0hi\0\0\0\0", 10));
  EXPECT_EQ(inflight_.used(), 0);
}

TEST_F(InferCallTest, AnswersWithTheOutputsThatAreAskedFor) {
  ModelInferRequest request = TwoInputRequest();
  request.add_outputs()->set_name("D");
  ModelInferResponse response;
  ASSERT_TRUE(Infer(request, &response).ok());
  ASSERT_EQ(response.outputs_size(), 1);
  EXPECT_EQ(response.outputs(0).name(), "D");
  EXPECT_EQ(response.raw_output_contents_size(), 1);
}

TEST_F(InferCallTest, TakesTypedContents) {
  ModelInferRequest request;
  request.set_model_name("m");
  auto* input = request.add_inputs();
  input->set_name("X");
  input->set_datatype("FP32");
  input->add_shape(1);
  input->add_shape(2);
  input->mutable_contents()->add_fp32_contents(5);
  input->mutable_contents()->add_fp32_contents(6);
  ModelInferResponse response;
  ASSERT_TRUE(Infer(request, &response).ok());
  EXPECT_EQ(response.raw_output_contents(0), RawFloats({5, 6}));
}

TEST_F(InferCallTest, AnEmptyVersionMeansTheNewest) {
  ModelInferRequest request = IdentityRequest("m");
  ModelInferResponse response;
  ASSERT_TRUE(Infer(request, &response).ok());
  EXPECT_EQ(response.model_version(), "3");
}

TEST_F(InferCallTest, RefusesModelsAndVersionsThatAreNotThere) {
  ModelInferRequest request = IdentityRequest("nobody");
  ExpectRefused(request, absl::StatusCode::kNotFound, "'nobody'");
  request = IdentityRequest("m");
  request.set_model_version("7");
  ExpectRefused(request, absl::StatusCode::kNotFound, "version 7");
  request.set_model_version("one");
  ExpectRefused(request, absl::StatusCode::kInvalidArgument, "'one'");
  request.set_model_version("-1");
  ExpectRefused(request, absl::StatusCode::kInvalidArgument, "'-1'");
  ExpectRefused(IdentityRequest("broken"), absl::StatusCode::kNotFound, "not an ONNX file");
}

TEST_F(InferCallTest, RefusesMissingUnknownAndRepeatedInputs) {
  ModelInferRequest request = TwoInputRequest();
  request.mutable_inputs()->RemoveLast();
  request.mutable_raw_input_contents()->RemoveLast();
  ExpectInvalid(request, "missing input 'A'");
  AddRawInput(&request, "Z", "FP32", {2, 1}, RawFloats({3, 4}));
  ExpectInvalid(request, "unknown input 'Z', expected 'A', 'B'");
  request = TwoInputRequest();
  AddRawInput(&request, "A", "FP32", {2, 1}, RawFloats({3, 4}));
  ExpectInvalid(request, "input 'A' is given twice");
}

TEST_F(InferCallTest, RefusesAWrongNumberOfRawEntries) {
  ModelInferRequest request = TwoInputRequest();
  request.add_raw_input_contents("surplus");
  ExpectInvalid(request, "for each of 2 inputs, got 3");
  request = TwoInputRequest();
  request.mutable_raw_input_contents()->RemoveLast();
  ExpectInvalid(request, "for each of 2 inputs, got 1");
}

TEST_F(InferCallTest, RefusesRawAndTypedContentsTogether) {
  ModelInferRequest request = TwoInputRequest();
  request.mutable_inputs(1)->mutable_contents()->add_fp32_contents(1);
  ExpectInvalid(request, "input 'A' has contents although");
}

TEST_F(InferCallTest, RefusesAnInputWithoutData) {
  ModelInferRequest request = IdentityRequest("m");
  request.clear_raw_input_contents();
  ExpectInvalid(request, "input 'X': expected 2 elements for FP32[1,2], got no data");
}

TEST_F(InferCallTest, RefusesUnknownAndRepeatedOutputs) {
  ModelInferRequest request = TwoInputRequest();
  request.add_outputs()->set_name("E");
  ExpectInvalid(request, "unknown output 'E', expected 'C', 'D'");
  request = TwoInputRequest();
  request.add_outputs()->set_name("C");
  request.add_outputs()->set_name("C");
  ExpectInvalid(request, "output 'C' is requested twice");
}

TEST_F(InferCallTest, AnswersWithTheClassesThatAreAskedFor) {
  fake_.Create();
  fake_.Add(
      "labelled", 1, [] { return FakeModel::Identity(); },
      "output { name: 'Y' data_type: TYPE_FP32 dims: 2 label_filename: 'labels.txt' }\n"
      "input { name: 'X' data_type: TYPE_FP32 dims: 2 }");
  fake_.AddFile("labelled/labels.txt", "cat\n");
  repository_ = &fake_.Start();
  ModelInferRequest request = IdentityRequest("labelled");
  auto* output = request.add_outputs();
  output->set_name("Y");
  (*output->mutable_parameters())["classification"].set_int64_param(5);
  ModelInferResponse response;
  const absl::Status status = Infer(request, &response);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(response.outputs(0).datatype(), "BYTES");
  EXPECT_THAT(response.outputs(0).shape(), ::testing::ElementsAre(1, 2));
  EXPECT_EQ(response.raw_output_contents(0), std::string("\3\0\0\0"
                                                         "2:1\7\0\0\0"
                                                         "1:0:cat",
                                                         18));
}

TEST_F(InferCallTest, SaysWhereTheTimeWentWhenAsked) {
  ModelInferRequest request = IdentityRequest("m");
  (*request.mutable_parameters())["inferd_timings"].set_bool_param(true);
  ModelInferResponse response;
  std::promise<std::string> text;
  InferCall call(repository_, &inflight_, kMaxReply);
  call.Start(request, &response, absl::Now(), absl::InfiniteFuture(),
             [&](const absl::Status&) { text.set_value(call.TimingsText()); });
  EXPECT_THAT(text.get_future().get(), StartsWith("queue_us="));
  EXPECT_EQ(response.parameters().at("inferd_batch_size").int64_param(), 1);
  EXPECT_GE(response.parameters().at("inferd_total_us").int64_param(),
            response.parameters().at("inferd_queue_us").int64_param());
  response.Clear();
  ASSERT_TRUE(Infer(IdentityRequest("m"), &response).ok());
  EXPECT_EQ(response.parameters_size(), 0);
}

TEST_F(InferCallTest, DescribesItselfForTheAccessLog) {
  ModelInferRequest request = IdentityRequest("m");
  ModelInferResponse response;
  AccessRecord record;
  std::promise<void> done;
  InferCall call(repository_, &inflight_, kMaxReply);
  call.Start(request, &response, absl::Now(), absl::InfiniteFuture(), [&](const absl::Status&) {
    call.Describe(&record);
    done.set_value();
  });
  done.get_future().wait();
  EXPECT_EQ(record.request_id, "r1");
  EXPECT_EQ(record.model, "m");
  EXPECT_EQ(record.version, "3");
  EXPECT_EQ(record.batch_rows, 1);
}

TEST_F(InferCallTest, RefusesToClassifyText) {
  ModelInferRequest request = TwoInputRequest();
  auto* output = request.add_outputs();
  output->set_name("D");
  (*output->mutable_parameters())["classification"].set_int64_param(1);
  ExpectInvalid(request, "output 'D': parameter 'classification': expected an output of numbers");
}

TEST_F(InferCallTest, RefusesSharedMemoryThatIsOff) {
  ModelInferRequest request = TwoInputRequest();
  auto& parameters = *request.mutable_inputs(0)->mutable_parameters();
  parameters["shared_memory_region"].set_string_param("r");
  request.mutable_raw_input_contents()->RemoveLast();
  ExpectRefused(request, absl::StatusCode::kUnimplemented, "input 'B'");
}

// What puts a tensor into a region.
void Place(const std::string& region, int64_t offset, int64_t bytes, ParameterMap* parameters) {
  (*parameters)["shared_memory_region"].set_string_param(region);
  (*parameters)["shared_memory_offset"].set_int64_param(offset);
  (*parameters)["shared_memory_byte_size"].set_int64_param(bytes);
}

class InferCallSharedMemory : public InferCallTest {
 protected:
  InferCallSharedMemory() {
    features_.shared_memory = &regions_;
    object_.Write(0, RawFloats({3, 4}));
    EXPECT_TRUE(RegisterObject(regions_, "r", object_, 0, 64).ok());
  }
  // "two" with input A at offset 0 of the region, B in the message.
  ModelInferRequest SharedRequest() {
    ModelInferRequest request = TwoInputRequest();
    request.mutable_raw_input_contents()->RemoveLast();
    Place("r", 0, 8, request.mutable_inputs(1)->mutable_parameters());
    return request;
  }

  SharedObject object_{64};
  SharedMemoryRegions regions_{4, 1024};
};

TEST_F(InferCallSharedMemory, InputsInSharedMemoryTakeNoRawEntry) {
  ModelInferResponse response;
  ASSERT_TRUE(Infer(SharedRequest(), &response).ok());
  EXPECT_EQ(response.raw_output_contents(0), RawFloats({3, 4}));
  EXPECT_EQ(response.raw_output_contents(1), std::string("\2\0\0\0hi\0\0\0\0", 10));
}

TEST_F(InferCallSharedMemory, OutputsGoToTheirRegionAndLeaveAnEmptyEntry) {
  ModelInferRequest request = SharedRequest();
  for (const char* name : {"D", "C"}) request.add_outputs()->set_name(name);
  Place("r", 16, 12, request.mutable_outputs(0)->mutable_parameters());
  Place("r", 40, 8, request.mutable_outputs(1)->mutable_parameters());
  ModelInferResponse response;
  const absl::Status status = Infer(request, &response);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(object_.Read(16, 10), std::string("\2\0\0\0hi\0\0\0\0", 10));
  EXPECT_EQ(object_.Read(40, 8), RawFloats({3, 4}));
  ASSERT_EQ(response.raw_output_contents_size(), 2);
  EXPECT_EQ(response.raw_output_contents(0), "");
  const auto& parameters = response.outputs(0).parameters();
  EXPECT_EQ(parameters.at("shared_memory_region").string_param(), "r");
  EXPECT_EQ(parameters.at("shared_memory_byte_size").int64_param(), 10);
  EXPECT_EQ(parameters.at("shared_memory_offset").int64_param(), 16);
}

TEST_F(InferCallSharedMemory, TensorsInMemoryOfADeviceAreCopiedFromAndToIt) {
  EngineConfig config;
  config.providers = {"fake"};
  const auto devices = DeviceMonitor::Open(config).value();
  SharedMemoryRegions regions(4, 1024);
  regions.UseDevices(devices.get());
  inference::CudaSharedMemoryRegisterRequest memory;
  memory.set_name("r");
  memory.set_raw_handle("fake memory");
  memory.set_byte_size(64);
  ASSERT_TRUE(RegisterSharedMemory(&regions, memory).ok());
  ASSERT_TRUE(regions.Find("r").value()->Write(0, RawFloats({3, 4})).ok());
  features_.shared_memory = &regions;
  ModelInferRequest request = SharedRequest();
  request.add_outputs()->set_name("C");
  Place("r", 40, 8, request.mutable_outputs(0)->mutable_parameters());
  ModelInferResponse response;
  const absl::Status status = Infer(request, &response);
  ASSERT_TRUE(status.ok()) << status;
  std::string written(8, ' ');
  ASSERT_TRUE(regions.Find("r").value()->Read(40, 8, written.data()).ok());
  EXPECT_EQ(written, RawFloats({3, 4}));
  Place("r", 60, 8, request.mutable_outputs(0)->mutable_parameters());
  ExpectInvalid(request, "has 64 bytes, got offset 60 and size 8");
}

TEST_F(InferCallSharedMemory, StringsAreReadFromIt) {
  object_.Write(20, std::string("\2\0\0\0hi\0\0\0\0", 10));
  ModelInferRequest request = SharedRequest();
  request.clear_raw_input_contents();
  Place("r", 20, 10, request.mutable_inputs(0)->mutable_parameters());
  ModelInferResponse response;
  ASSERT_TRUE(Infer(request, &response).ok());
  EXPECT_EQ(response.raw_output_contents(1), std::string("\2\0\0\0hi\0\0\0\0", 10));
  object_.Write(20, std::string("\7", 1));
  ExpectInvalid(request, "element 0 has length 7");
}

TEST_F(InferCallSharedMemory, RefusesRangesOutsideTheRegion) {
  ModelInferRequest request = SharedRequest();
  ParameterMap* parameters = request.mutable_inputs(1)->mutable_parameters();
  Place("r", 60, 8, parameters);
  ExpectInvalid(request, "has 64 bytes, got offset 60 and size 8");
  Place("r", std::numeric_limits<int64_t>::max(), 8, parameters);
  ExpectInvalid(request, "input 'A': shared memory region 'r' has 64 bytes");
  Place("r", 0, 16, parameters);
  ExpectInvalid(request, "expected 8 bytes for FP32[2,1], got 16");
  Place("q", 0, 8, parameters);
  ExpectRefused(request, absl::StatusCode::kNotFound, "region 'q' is not registered");
}

TEST_F(InferCallSharedMemory, RefusesOutputsThatDoNotFit) {
  ModelInferRequest request = SharedRequest();
  request.add_outputs()->set_name("C");
  Place("r", 0, 7, request.mutable_outputs(0)->mutable_parameters());
  ExpectInvalid(request, "output 'C': it has 8 bytes, the request gives 7");
}

TEST_F(InferCallSharedMemory, AShrunkenObjectFailsOneRequest) {
  ModelInferRequest request = SharedRequest();
  object_.Truncate(4);
  ExpectInvalid(request, "has 4 bytes, expected at least 8");
  request = TwoInputRequest();
  request.add_outputs()->set_name("C");
  Place("r", 0, 8, request.mutable_outputs(0)->mutable_parameters());
  ExpectInvalid(request, "has 4 bytes, expected at least 8");
  object_.Truncate(64);
  ModelInferResponse response;
  EXPECT_TRUE(Infer(request, &response).ok());
}

TEST_F(InferCallSharedMemory, RefusesContentsBesideIt) {
  ModelInferRequest request = SharedRequest();
  request.mutable_inputs(1)->mutable_contents()->add_fp32_contents(1);
  ExpectInvalid(request, "input 'A' has contents although it is in shared memory");
  request = SharedRequest();
  request.add_raw_input_contents("surplus");
  ExpectInvalid(request, "for each of 1 inputs not in shared memory, got 2");
}

TEST_F(InferCallTest, LeavesTypesAndShapesToTheModel) {
  ModelInferRequest request;
  request.set_model_name("m");
  request.set_id("r1");
  AddRawInput(&request, "X", "INT32", {1, 2}, std::string(8, '\0'));
  ExpectInvalid(request, "'X'");
  request.clear_inputs();
  request.clear_raw_input_contents();
  AddRawInput(&request, "X", "FP32", {40, 2}, std::string(320, '\0'));
  ExpectInvalid(request, "32");
}

TEST_F(InferCallTest, LongNamesAndIdsAreCutInMessages) {
  ModelInferRequest request = IdentityRequest("m");
  request.set_id(std::string(100000, 'i'));
  request.mutable_inputs(0)->set_name(std::string(100000, 'n'));
  ModelInferResponse response;
  EXPECT_LT(Text(Infer(request, &response)).size(), 1000u);
}

TEST_F(InferCallTest, ARequestWithoutIdSaysSo) {
  ModelInferRequest request = IdentityRequest("nobody");
  request.clear_id();
  ModelInferResponse response;
  EXPECT_THAT(Text(Infer(request, &response)), StartsWith("[request id: <id_unknown>] "));
}

TEST_F(InferCallTest, APassedDeadlineIsSaid) {
  ModelInferResponse response;
  const absl::Status status =
      Infer(IdentityRequest("m"), &response, absl::Now() - absl::Seconds(1));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
}

TEST_F(InferCallTest, ACancelledCallDoesNotRun) {
  const ModelInferRequest request = IdentityRequest("m");
  ModelInferResponse response;
  InferCall call(repository_, &inflight_, kMaxReply);
  call.Cancel();
  std::promise<absl::Status> done;
  call.Start(request, &response, absl::Now(), absl::InfiniteFuture(),
             [&](const absl::Status& status) { done.set_value(status); });
  EXPECT_EQ(done.get_future().get().code(), absl::StatusCode::kCancelled);
}

TEST_F(InferCallTest, RefusalsCountAsFailures) {
  ModelInferRequest request = IdentityRequest("m");
  request.add_raw_input_contents("surplus");
  ModelInferResponse response;
  EXPECT_FALSE(Infer(request, &response).ok());
  EXPECT_EQ(repository_->Get("m", "").value()->Statistics().fail.count, 1u);
}

TEST_F(InferCallTest, ARepliesSizeIsLimited) {
  const ModelInferRequest request = IdentityRequest("m");
  ModelInferResponse response;
  InferCall call(repository_, &inflight_, /*max_reply_bytes=*/7);
  std::promise<absl::Status> done;
  call.Start(request, &response, absl::Now(), absl::InfiniteFuture(),
             [&](const absl::Status& status) { done.set_value(status); });
  const absl::Status status = done.get_future().get();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_THAT(Text(status), HasSubstr("8 bytes of outputs"));
}

}  // namespace
}  // namespace inferd
