#include "engine/batch_check.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/model_builder.h"

namespace inferd {
namespace {

using ::inferd::testing::ModelBuilder;
using ::testing::HasSubstr;

constexpr int64_t kWidth = 16;
constexpr int64_t kTokens = 30;      // that the embedding knows
constexpr int64_t kPositions = 100;  // likewise

std::vector<float> Weights(int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.4f);
  std::vector<float> values(count);
  std::generate(values.begin(), values.end(), [&] { return normal(random); });
  return values;
}

void AddMatrix(ModelBuilder& builder, const char* name, int64_t rows, int64_t columns,
               unsigned seed) {
  builder.Floats(name, {rows, columns}, Weights(rows * columns, seed));
}

// Q, K or V of `x` as [rows, heads, length, depth], K turned.
void AddHeads(ModelBuilder& builder, const char* weights, const char* name, const char* product,
              const char* split, bool turned) {
  builder.Node("MatMul", {"x", weights}, {product});
  builder.Node("Reshape", {product, "heads"}, {split});
  testing::SetInts(builder.Node("Transpose", {split}, {name}), "perm",
                   turned ? std::vector<int64_t>{0, 2, 3, 1} : std::vector<int64_t>{0, 2, 1, 3});
}

// A transformer's layer over embedded tokens and positions, as exporters write it: `y`. The bias of
// keys that `mask` hides is -10000.
ModelBuilder Encoder() {
  ModelBuilder builder(17);
  builder.NamedInput("ids", DType::kInt64, {"batch", "length"});
  builder.NamedInput("mask", DType::kInt64, {"batch", "length"});
  AddMatrix(builder, "table", kTokens, kWidth, 1);
  AddMatrix(builder, "wq", kWidth, kWidth, 2);
  AddMatrix(builder, "wk", kWidth, kWidth, 3);
  AddMatrix(builder, "wv", kWidth, kWidth, 4);
  AddMatrix(builder, "wo", kWidth, kWidth, 5);
  builder.Floats("positions", {1, kPositions, kWidth}, Weights(kPositions * kWidth, 6));
  builder.Int64s("heads", {4}, {0, 0, 2, kWidth / 2});
  builder.Int64s("joined", {3}, {0, 0, kWidth});
  builder.Int64s("zero", {1}, {0});
  builder.Int64s("one", {1}, {1});
  builder.Int64s("first_axes", {2}, {1, 2});
  builder.Floats("one_float", {}, {1});
  builder.Floats("hidden", {}, {-10000});
  builder.Floats("scale", {}, {0.35f});
  builder.Node("Gather", {"table", "ids"}, {"embedded"});
  builder.Node("Shape", {"ids"}, {"shape"});
  builder.Node("Slice", {"shape", "one", "two"}, {"length_of"});
  builder.Int64s("two", {1}, {2});
  builder.Node("Slice", {"positions", "zero", "length_of", "one"}, {"at"});
  builder.Node("Add", {"embedded", "at"}, {"x"});
  AddHeads(builder, "wq", "q", "pq", "sq", false);
  AddHeads(builder, "wk", "k", "pk", "sk", true);
  AddHeads(builder, "wv", "v", "pv", "sv", false);
  testing::SetInt(builder.Node("Cast", {"mask"}, {"mask_float"}), "to", 1);
  builder.Node("Unsqueeze", {"mask_float", "first_axes"}, {"row"});
  builder.Node("Sub", {"one_float", "row"}, {"inverse"});
  builder.Node("Mul", {"inverse", "hidden"}, {"bias"});
  builder.Node("MatMul", {"q", "k"}, {"products"});
  builder.Node("Mul", {"products", "scale"}, {"scaled"});
  builder.Node("Add", {"scaled", "bias"}, {"scores"});
  testing::SetInt(builder.Node("Softmax", {"scores"}, {"weights"}), "axis", -1);
  builder.Node("MatMul", {"weights", "v"}, {"attended"});
  testing::SetInts(builder.Node("Transpose", {"attended"}, {"turned"}), "perm", {0, 2, 1, 3});
  builder.Node("Reshape", {"turned", "joined"}, {"whole"});
  builder.Node("MatMul", {"whole", "wo"}, {"out"});
  builder.Node("Add", {"x", "out"}, {"y"});
  return builder;
}

// The class by the first token.
ModelBuilder Classifier() {
  ModelBuilder builder = Encoder();
  AddMatrix(builder, "wc", kWidth, 3, 7);
  builder.Int64s("first", {}, {0});
  testing::SetInt(builder.Node("Gather", {"y", "first"}, {"token"}), "axis", 1);
  builder.Node("Gemm", {"token", "wc"}, {"classes"});
  builder.Node("Tanh", {"classes"}, {"result"});
  builder.Output("result");
  return builder;
}

// The normalized mean of the tokens that the mask counts.
ModelBuilder Embedder() {
  ModelBuilder builder = Encoder();
  builder.Int64s("last", {1}, {-1});
  builder.Floats("least", {}, {1e-9f});
  builder.Node("Unsqueeze", {"mask_float", "last"}, {"column"});
  builder.Node("Shape", {"y"}, {"whole_shape"});
  builder.Node("Expand", {"column", "whole_shape"}, {"spread"});
  builder.Node("Mul", {"y", "spread"}, {"counted"});
  testing::SetInt(builder.Node("ReduceSum", {"counted", "one"}, {"sum"}), "keepdims", 0);
  testing::SetInt(builder.Node("ReduceSum", {"spread", "one"}, {"count"}), "keepdims", 0);
  builder.Node("Clip", {"count", "least"}, {"some"});
  builder.Node("Div", {"sum", "some"}, {"mean"});
  auto& norm = builder.Node("ReduceL2", {"mean"}, {"norm"});
  testing::SetInts(norm, "axes", {1});
  testing::SetInt(norm, "keepdims", 1);
  builder.Node("Clip", {"norm", "least"}, {"divisor"});
  builder.Node("Div", {"mean", "divisor"}, {"result"});
  builder.Output("result");
  return builder;
}

ModelBuilder MeanOfAll() {
  ModelBuilder builder = Encoder();
  auto& mean = builder.Node("ReduceMean", {"y"}, {"result"});
  testing::SetInts(mean, "axes", {1});
  testing::SetInt(mean, "keepdims", 0);
  builder.Output("result");
  return builder;
}

std::unique_ptr<Model> CompileOrDie(const ModelBuilder& builder,
                                    std::vector<std::string> disabled_passes = {}) {
  const std::string path = ::testing::TempDir() + "/inferd_batch_check_test.onnx";
  std::ofstream(path, std::ios::binary) << builder.Bytes();
  EngineConfig config;
  config.disabled_passes = std::move(disabled_passes);
  auto model = Compile(path, config);
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

// Requests whose rows are masked as it comes: mostly padded at their ends, some in other ways.
class RandomRequests {
 public:
  explicit RandomRequests(unsigned seed) : random_(seed) {}

  std::vector<Tensor> Next() {
    const int64_t rows = Between(1, 9);
    const int64_t length = Between(1, 70);
    Tensor ids = Tensor::Allocate(DType::kInt64, Shape({rows, length})).value();
    Tensor mask = Tensor::Allocate(DType::kInt64, Shape({rows, length})).value();
    std::generate_n(ids.mutable_data<int64_t>(), rows * length,
                    [&] { return Between(0, kTokens - 1); });
    for (int64_t row = 0; row < rows; ++row) {
      Mask(mask.mutable_data<int64_t>() + row * length, length);
    }
    return {ids, mask};
  }

 private:
  int64_t Between(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }

  void Mask(int64_t* mask, int64_t length) {
    std::fill_n(mask, length, 0);
    std::fill_n(mask, Between(1, length), 1);
    switch (Between(0, 11)) {
      case 0:  // holes
        for (int64_t i = 0; i < length; ++i) mask[i] = Between(0, 1);
        return;
      case 1:  // padding first
        std::reverse(mask, mask + length);
        return;
      case 2:
        std::fill_n(mask, length, 0);
        return;
      case 3:
        std::fill_n(mask, length, 1);
        return;
      default:
        return;
    }
  }

  std::mt19937 random_;
};

void ExpectNear(const std::vector<Tensor>& got, const std::vector<Tensor>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].shape(), expected[i].shape());
    const auto values = expected[i].values<float>();
    float largest = 0;
    for (const float value : values) largest = std::max(largest, std::abs(value));
    for (int64_t j = 0; j < got[i].num_elements(); ++j) {
      ASSERT_NEAR(got[i].data<float>()[j], values[j], 1e-4f * largest) << "at element " << j;
    }
  }
}

std::vector<Tensor> RunOrDie(Model& model, const std::vector<Tensor>& request) {
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  const absl::Status status = model.Run(slot, request, &outputs);
  EXPECT_TRUE(status.ok()) << status;
  for (Tensor& output : outputs) output = output.Clone().value();
  return outputs;
}

// Three rows of 40 tokens, of which 10, 20 and 5 count; ids behind them are `padding`.
std::vector<Tensor> PaddedRequest(int64_t padding) {
  std::vector<Tensor> request;
  for (int i = 0; i < 2; ++i) {
    request.push_back(Tensor::Allocate(DType::kInt64, Shape({3, 40})).value());
  }
  const int64_t lengths[] = {10, 20, 5};
  for (int64_t i = 0; i < 120; ++i) {
    const bool counts = i % 40 < lengths[i / 40];
    request[0].mutable_data<int64_t>()[i] = counts ? i % kTokens : padding;
    request[1].mutable_data<int64_t>()[i] = counts ? 1 : 0;
  }
  return request;
}

TEST(TestPacking, SkipsPaddingThatReachesNoOutput) {
  for (const ModelBuilder& builder : {Classifier(), Embedder()}) {
    CoreSlot slot(1);
    const auto model = CompileOrDie(builder);
    const PackingVerdict verdict = model->CheckPacking(slot);
    EXPECT_TRUE(verdict.packs) << verdict.reason;
    EXPECT_EQ(verdict.padding_mask, 1) << verdict.reason;
    EXPECT_THAT(verdict.reason, HasSubstr("is skipped where mask ends in zeros"));
    // What padding holds is not looked at: there is no such token.
    const std::vector<Tensor> outputs = RunOrDie(*model, PaddedRequest(kTokens + 7));
    ExpectNear(outputs, RunOrDie(*CompileOrDie(builder), PaddedRequest(0)));
  }
}

TEST(TestPacking, GivesTheSameAnswersWhateverIsMasked) {
  for (const ModelBuilder& builder : {Classifier(), Embedder()}) {
    CoreSlot slot(1);
    const auto plain = CompileOrDie(builder);
    const auto model = CompileOrDie(builder);
    ASSERT_GE(model->CheckPacking(slot).padding_mask, 0);
    RandomRequests random(1);
    for (int i = 0; i < 60; ++i) {
      const std::vector<Tensor> request = random.Next();
      ExpectNear(RunOrDie(*model, request), RunOrDie(*plain, request));
    }
    for (int i = 0; i < 20; ++i) {
      const std::vector<std::vector<Tensor>> requests = {random.Next(), random.Next(),
                                                         random.Next()};
      std::vector<std::vector<Tensor>> outputs;
      const absl::Status status =
          model->RunPacked(slot, {requests[0], requests[1], requests[2]}, &outputs);
      ASSERT_TRUE(status.ok()) << status;
      for (size_t r = 0; r < requests.size(); ++r) {
        ExpectNear(outputs[r], RunOrDie(*plain, requests[r]));
      }
    }
  }
}

TEST(TestPacking, NamesErrorsOfWhatIsNotPadding) {
  CoreSlot slot(1);
  const auto model = CompileOrDie(Classifier());
  ASSERT_GE(model->CheckPacking(slot).padding_mask, 0);
  std::vector<Tensor> request = PaddedRequest(0);
  request[0].mutable_data<int64_t>()[3] = kTokens + 7;
  std::vector<Tensor> outputs;
  const absl::Status status = model->Run(slot, request, &outputs);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("37"));
}

TEST(TestPacking, ComputesPaddingThatMayReachAnOutput) {
  CoreSlot slot(1);
  const auto model = CompileOrDie(MeanOfAll());
  const PackingVerdict verdict = model->CheckPacking(slot);
  EXPECT_TRUE(verdict.packs) << verdict.reason;
  EXPECT_EQ(verdict.padding_mask, -1);
  EXPECT_THAT(verdict.reason, HasSubstr("padding within a request is computed"));
  EXPECT_THAT(verdict.reason, HasSubstr("ReduceMean"));
  const std::vector<Tensor> request = PaddedRequest(0);
  ExpectNear(RunOrDie(*model, request), RunOrDie(*CompileOrDie(MeanOfAll()), request));
}

TEST(TestPacking, CanBeSwitchedOff) {
  CoreSlot slot(1);
  PackingVerdict verdict = CompileOrDie(Classifier(), {"pack_sequences"})->CheckPacking(slot);
  EXPECT_FALSE(verdict.packs);
  EXPECT_THAT(verdict.reason, HasSubstr("switched off"));
  verdict = CompileOrDie(Classifier(), {"skip_padding"})->CheckPacking(slot);
  EXPECT_TRUE(verdict.packs);
  EXPECT_EQ(verdict.padding_mask, -1);
}

TEST(TestPacking, IsNotNeededAtTheNextStart) {
  const std::string folder = ::testing::TempDir() + "/inferd_batch_check_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/model.onnx", std::ios::binary) << Embedder().Bytes();
  EngineConfig config;
  config.cache_dir = folder + "/cache";
  std::string reason;
  for (int start = 0; start < 2; ++start) {
    CoreSlot slot(1);
    const auto model = *Compile(folder + "/model.onnx", config);
    const PackingVerdict verdict = model->CheckPacking(slot);
    EXPECT_EQ(verdict.padding_mask, 1) << verdict.reason;
    if (start == 0) reason = verdict.reason;
    EXPECT_EQ(verdict.reason, reason);
    // The test at the first start made a plan.
    EXPECT_EQ(model->memory_use().plans > 0, start == 0);
    RunOrDie(*model, PaddedRequest(kTokens + 7));
    ASSERT_TRUE(model->SaveCache().ok());
  }
  std::filesystem::remove_all(folder);
}

TEST(PackingVerdict, ComesBackFromItsText) {
  const PackingVerdict verdict =
      PackingVerdictOf(TextOf({.packs = true, .padding_mask = 1, .reason = "a reason; and more"}));
  EXPECT_TRUE(verdict.packs);
  EXPECT_EQ(verdict.padding_mask, 1);
  EXPECT_EQ(verdict.reason, "a reason; and more");
  EXPECT_FALSE(PackingVerdictOf("").packs);
  EXPECT_FALSE(PackingVerdictOf("no number").packs);
}

}  // namespace
}  // namespace inferd
