#include "server/model/effective_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_model.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;

const BatchVerdict kProven{BatchSafety::kProven, "every node keeps rows apart"};
const BatchVerdict kRefused{BatchSafety::kRefused, "node 'sum' adds over dimension 0"};

ModelOptions Options(absl::string_view text) { return ParseModelOptions(text, "m").value(); }

std::vector<TensorInfo> Tensors(const char* name, std::initializer_list<int64_t> dims) {
  return {FakeTensorInfo(name, DType::kFloat32, dims)};
}

absl::StatusOr<BatchDecision> Decide(absl::string_view config, const BatchVerdict& verdict,
                                     std::initializer_list<int64_t> dims = {-1, 4}) {
  return DecideBatching(Options(config), Tensors("x", dims), Tensors("y", dims), verdict);
}

TEST(DecideBatching, DerivesTheLimitFromTheVerdict) {
  EXPECT_EQ(Decide("", kProven)->max_batch_size, kDerivedMaxBatchSize);
  const BatchDecision refused = Decide("", kRefused).value();
  EXPECT_EQ(refused.max_batch_size, 0);
  EXPECT_THAT(refused.reason, HasSubstr("node 'sum'"));
  EXPECT_EQ(Decide("", kProven, {1, 4})->max_batch_size, 0);
}

TEST(DecideBatching, LetsTheConfigDecide) {
  EXPECT_EQ(Decide("max_batch_size: 8", kProven)->max_batch_size, 8);
  EXPECT_EQ(Decide("max_batch_size: 0", kProven)->max_batch_size, 0);
  const BatchDecision insists = Decide("max_batch_size: 8", kRefused).value();
  EXPECT_EQ(insists.max_batch_size, 8);
  EXPECT_THAT(insists.reason, HasSubstr("insists, although node 'sum'"));
}

TEST(DecideBatching, RefusesABatchOfAFixedDimension) {
  const absl::StatusOr<BatchDecision> decision = Decide("max_batch_size: 8", kProven, {1, 4});
  EXPECT_EQ(decision.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(decision.status().message()), HasSubstr("'x' has the fixed dimension"));
}

TEST(DecideBatching, ReadsTheRankOfConfiguredDims) {
  EXPECT_EQ(Decide("input { name: \"x\" dims: [ -1, 4 ] }", kProven)->max_batch_size, 0);
  EXPECT_EQ(Decide("input { name: \"x\" dims: 4 }", kProven)->max_batch_size, kDerivedMaxBatchSize);
  EXPECT_FALSE(Decide("input { name: \"x\" dims: 4 }", kRefused).ok());
}

std::string SignatureError(absl::string_view text, int64_t max_batch_size = 0) {
  std::vector<TensorInfo> inputs = Tensors("x", {-1, 4});
  std::vector<TensorInfo> outputs = Tensors("y", {-1, -1});
  const absl::Status status =
      ApplyConfiguredSignature(Options(text).config, max_batch_size, &inputs, &outputs);
  return status.ok() ? "OK" : std::string(status.message());
}

TEST(ApplyConfiguredSignature, AcceptsWhatFits) {
  EXPECT_EQ(SignatureError("input { name: \"x\" data_type: TYPE_FP32 dims: [ -1, 4 ] }"), "OK");
  EXPECT_EQ(SignatureError("input { name: \"x\" dims: 4 }", 8), "OK");
}

TEST(ApplyConfiguredSignature, NamesWhatContradictsTheModel) {
  EXPECT_THAT(SignatureError("input { name: \"z\" }"), HasSubstr("'z' is not in the model"));
  EXPECT_THAT(SignatureError("output { name: \"z\" }"), HasSubstr("which has y"));
  EXPECT_THAT(SignatureError("input { name: \"x\" data_type: TYPE_INT64 }"),
              HasSubstr("expected data_type TYPE_FP32, got TYPE_INT64"));
  EXPECT_THAT(SignatureError("input { name: \"x\" dims: [ -1, 5 ] }"), HasSubstr("[-1,5]"));
  EXPECT_THAT(SignatureError("input { name: \"x\" dims: [ -1, -1 ] }"), HasSubstr("[-1,-1]"));
  EXPECT_THAT(SignatureError("input { name: \"x\" dims: [ 1, 2, 4 ] }"), HasSubstr("[1,2,4]"));
}

TEST(ApplyConfiguredSignature, NarrowsVariableDimensionsAndLeavesOutputsOut) {
  std::vector<TensorInfo> inputs = Tensors("x", {-1, 4});
  std::vector<TensorInfo> outputs = {FakeTensorInfo("y", DType::kFloat32, {-1, -1}),
                                     FakeTensorInfo("z", DType::kFloat32, {-1})};
  const ModelOptions options = Options("output { name: \"y\" dims: 7 }");
  ASSERT_TRUE(ApplyConfiguredSignature(options.config, 8, &inputs, &outputs).ok());
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_TRUE(outputs[0].type.shape[1].Is(7));
}

TEST(CompleteConfig, FillsInWhatClientsAskFor) {
  ModelOptions options = Options("");
  options.max_batch_size = 32;
  const inference::ModelConfig config =
      CompleteConfig(options, "m", 2, {}, Tensors("x", {-1, 4}), Tensors("y", {-1, -1}));
  EXPECT_EQ(config.name(), "m");
  EXPECT_EQ(config.platform(), "onnxruntime_onnx");
  EXPECT_EQ(config.max_batch_size(), 32);
  EXPECT_EQ(config.input(0).data_type(), inference::TYPE_FP32);
  ASSERT_EQ(config.input(0).dims_size(), 1);
  EXPECT_EQ(config.input(0).dims(0), 4);
  EXPECT_EQ(config.output(0).dims(0), -1);
  EXPECT_TRUE(config.has_dynamic_batching());
  EXPECT_EQ(config.version_policy().latest().num_versions(), 1u);
  EXPECT_EQ(config.instance_group(0).count(), 2);
  EXPECT_EQ(config.instance_group(0).kind(), inference::ModelInstanceGroup::KIND_CPU);
  EXPECT_EQ(config.parameters_size(), 0);
}

TEST(CompleteConfig, TellsTheDevicesThatTheModelIsOn) {
  const std::vector<int> devices = {0, 2};
  const inference::ModelConfig config =
      CompleteConfig(Options(""), "m", 3, devices, Tensors("x", {-1, 4}), Tensors("y", {-1, 2}));
  ASSERT_EQ(config.instance_group_size(), 1);
  EXPECT_EQ(config.instance_group(0).kind(), inference::ModelInstanceGroup::KIND_GPU);
  EXPECT_THAT(config.instance_group(0).gpus(), testing::ElementsAre(0, 2));
  EXPECT_EQ(config.instance_group(0).count(), 3);
}

TEST(CompleteConfig, TellsTheClassesOfScores) {
  std::vector<TensorInfo> outputs = Tensors("y", {-1, 2});
  outputs[0].class_names = {"honest", "fraud"};
  const inference::ModelConfig config =
      CompleteConfig(Options(""), "m", 1, {}, Tensors("x", {-1, 4}), outputs);
  EXPECT_EQ(config.parameters().at("class_names.y").string_value(), "[\"honest\", \"fraud\"]");
}

}  // namespace
}  // namespace inferd
