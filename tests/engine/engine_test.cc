#include "engine/engine.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/model_builder.h"
#include "tests/support/run_graph.h"

namespace inferd {
namespace {

using ::inferd::testing::ModelBuilder;
using ::inferd::testing::RandomTensor;
using ::testing::HasSubstr;

std::unique_ptr<Model> CompileOrDie(const ModelBuilder& builder, EngineConfig config = {}) {
  const std::string path = ::testing::TempDir() + "/inferd_engine_test.onnx";
  std::ofstream(path, std::ios::binary) << builder.Bytes();
  auto model = Compile(path, config);
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

void FixDimension(ModelBuilder& builder, int dim, int64_t size) {
  auto* shape =
      builder.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape->mutable_dim(dim)->set_dim_value(size);
}

// y = Relu(x * w + b) over rows of 4.
ModelBuilder Linear() {
  ModelBuilder builder;
  builder.NamedInput("x", DType::kFloat32, {"batch", "width"});
  FixDimension(builder, 1, 4);
  builder.Floats("w", {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  builder.Floats("b", {2}, {-100, 1});
  builder.Node("MatMul", {"x", "w"}, {"p"});
  builder.Node("Add", {"p", "b"}, {"s"});
  builder.Node("Relu", {"s"}, {"y"});
  builder.Output("y");
  return builder;
}

std::vector<float> RunFloats(Model& model, const std::vector<Tensor>& inputs) {
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  const absl::Status status = model.Run(slot, inputs, &outputs);
  EXPECT_TRUE(status.ok()) << status;
  if (!status.ok()) return {};
  const auto values = outputs[0].values<float>();
  return {values.begin(), values.end()};
}

TEST(Engine, RunsALinearLayerOnEveryProvider) {
  for (const char* provider : {"cpu", "portable"}) {
    EngineConfig config;
    config.providers = {provider};
    auto model = CompileOrDie(Linear(), config);
    const Tensor x = Tensor::FromValues<float>(Shape({2, 4}), {1, 1, 1, 1, 10, 20, 30, 40});
    EXPECT_THAT(RunFloats(*model, {x}), ::testing::ElementsAre(0, 21, 400, 601)) << provider;
  }
}

TEST(Engine, RunsPartsOfAModelOnADeviceAndTheRestOnTheHost) {
  EngineConfig config;
  config.providers = {"fake"};
  const Tensor x = Tensor::FromValues<float>(Shape({2, 4}), {1, 1, 1, 1, 10, 20, 30, 40});
  for (const char* takes : {"all", "half"}) {
    setenv("INFERD_FAKE_DEVICE", takes, 1);
    auto model = CompileOrDie(Linear(), config);
    EXPECT_THAT(RunFloats(*model, {x}), ::testing::ElementsAre(0, 21, 400, 601)) << takes;
  }
  unsetenv("INFERD_FAKE_DEVICE");
}

TEST(Engine, GoesOnInHostMemoryWhenItsDeviceIsLost) {
  EngineConfig config;
  config.providers = {"fake"};
  setenv("INFERD_FAKE_DEVICE", "dies", 1);
  auto model = CompileOrDie(Linear(), config);
  unsetenv("INFERD_FAKE_DEVICE");
  const std::vector<Shape> shapes = {Shape({2, 4})};
  EXPECT_THAT(model->PlanDump(shapes).value(), HasSubstr("on fake:0"));
  const Tensor x = Tensor::FromValues<float>(Shape({2, 4}), {1, 1, 1, 1, 10, 20, 30, 40});
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  EXPECT_FALSE(model->Run(slot, {&x, 1}, &outputs).ok());
  EXPECT_THAT(RunFloats(*model, {x}), ::testing::ElementsAre(0, 21, 400, 601));
  EXPECT_THAT(model->PlanDump(shapes).value(), ::testing::Not(HasSubstr("on fake:0")));
}

// Two devices while it lives.
struct TwoDevices {
  TwoDevices() { setenv("INFERD_FAKE_DEVICES", "2", 1); }
  ~TwoDevices() { unsetenv("INFERD_FAKE_DEVICES"); }
};

TEST(Engine, PutsAModelOnEveryDeviceOrThoseNamed) {
  const TwoDevices two;
  const std::vector<Shape> shapes = {Shape({2, 4})};
  EngineConfig config;
  config.providers = {"fake"};
  std::vector<int64_t> bytes;
  for (const std::vector<int>& ordinals : std::vector<std::vector<int>>{{1}, {}}) {
    config.device_ordinals = ordinals;
    auto model = CompileOrDie(Linear(), config);
    ASSERT_TRUE(model->Prepare(shapes).ok());
    EXPECT_THAT(model->PlanDump(shapes).value(),
                HasSubstr(ordinals.empty() ? "on fake:0" : "on fake:1"));
    bytes.push_back(model->memory_use().device_weight_bytes);
  }
  EXPECT_GT(bytes[0], 0);
  EXPECT_EQ(bytes[1], 2 * bytes[0]);
}

TEST(Engine, RefusesADeviceThatThereIsNot) {
  const TwoDevices two;
  EngineConfig config;
  config.providers = {"fake"};
  config.device_ordinals = {2};
  EXPECT_THAT(std::string(CheckEngineConfig(config).message()),
              HasSubstr("device 2: there are 2 devices of fake"));
  config = {};
  config.needs_device = true;
  EXPECT_EQ(CheckEngineConfig(config).code(), absl::StatusCode::kInvalidArgument);
}

TEST(Engine, MovesToAnotherDeviceWhenOneIsLost) {
  const TwoDevices two;
  EngineConfig config;
  config.providers = {"fake"};
  setenv("INFERD_FAKE_DEVICE", "dies", 1);
  auto model = CompileOrDie(Linear(), config);
  unsetenv("INFERD_FAKE_DEVICE");
  const Tensor x = Tensor::FromValues<float>(Shape({2, 4}), {1, 1, 1, 1, 10, 20, 30, 40});
  for (int run = 0; run < 3; ++run) {
    EXPECT_THAT(RunFloats(*model, {x}), ::testing::ElementsAre(0, 21, 400, 601));
  }
  EXPECT_FALSE(model->has_lost_device());
}

TEST(Engine, KeepsTheSignatureOfTheFile) {
  auto model = CompileOrDie(Linear());
  ASSERT_EQ(model->inputs().size(), 1u);
  EXPECT_EQ(model->inputs()[0].name, "x");
  EXPECT_THAT(model->inputs()[0].dim_names, ::testing::ElementsAre("batch", "4"));
  EXPECT_EQ(model->outputs()[0].name, "y");
}

TEST(Engine, NamesTheInputThatDoesNotFit) {
  auto model = CompileOrDie(Linear());
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  const Tensor wrong[] = {RandomTensor(Shape({2, 5}))};
  const absl::Status status = model->Run(slot, wrong, &outputs);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("input 'x'"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("float32[2,5]"));
}

TEST(Engine, ProvesThatALinearLayerMayBeBatched) {
  CoreSlot slot(1);
  EXPECT_EQ(CompileOrDie(Linear())->CheckBatching(slot).safety, BatchSafety::kProven);
}

TEST(Engine, RefusesToBatchASumOverRows) {
  ModelBuilder builder;
  builder.NamedInput("x", DType::kFloat32, {"batch", "width"});
  FixDimension(builder, 1, 4);
  builder.Int64s("axes", {1}, {0});
  builder.Node("ReduceSum", {"x", "axes"}, {"s"}).set_name("over_rows");
  builder.Node("Sub", {"x", "s"}, {"y"});
  builder.Output("y");
  CoreSlot slot(1);
  const BatchVerdict verdict = CompileOrDie(builder)->CheckBatching(slot);
  EXPECT_EQ(verdict.safety, BatchSafety::kRefused);
  EXPECT_THAT(verdict.reason, HasSubstr("over_rows"));
}

TEST(Engine, RunsShapesThatDependOnTheData) {
  ModelBuilder builder;
  builder.NamedInput("x", DType::kFloat32, {"n"});
  builder.Node("NonZero", {"x"}, {"at"});
  builder.Node("Cast", {"at"}, {"y"});
  testing::SetInt(*builder.graph().mutable_node(1), "to", 1);
  builder.Output("y");
  auto model = CompileOrDie(builder);
  EXPECT_THAT(RunFloats(*model, {Tensor::FromValues<float>(Shape({4}), {0, 5, 0, 7})}),
              ::testing::ElementsAre(1, 3));
}

TEST(Engine, RefusesAnArenaOverItsLimit) {
  ModelBuilder builder;
  builder.NamedInput("x", DType::kFloat32, {"n"});
  builder.Node("Exp", {"x"}, {"e"});
  builder.Node("Neg", {"e"}, {"y"});
  builder.Output("y");
  EngineConfig config;
  config.max_arena_bytes = 1 << 10;
  auto model = CompileOrDie(builder, config);
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  const Tensor large[] = {RandomTensor(Shape({100000}))};
  EXPECT_EQ(model->Run(slot, large, &outputs).code(), absl::StatusCode::kResourceExhausted);
}

TEST(Engine, ReportsIndicesOutOfRangeWithTheNode) {
  ModelBuilder builder;
  builder.NamedInput("i", DType::kInt64, {"n"});
  builder.Floats("table", {3, 1}, {1, 2, 3});
  builder.Node("Gather", {"table", "i"}, {"y"}).set_name("lookup");
  builder.Output("y");
  auto model = CompileOrDie(builder);
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  const Tensor indices[] = {Tensor::FromValues<int64_t>(Shape({2}), {0, 3})};
  const absl::Status status = model->Run(slot, indices, &outputs);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("lookup"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("3"));
}

TEST(Engine, RefusesAProviderItDoesNotHave) {
  EngineConfig config;
  config.providers = {"abacus"};
  EXPECT_THAT(std::string(Compile("any.onnx", config).status().message()), HasSubstr("abacus"));
}

TEST(Engine, DumpsGraphPassesAndPlan) {
  auto model = CompileOrDie(Linear());
  EXPECT_THAT(model->OriginalGraphDump(), HasSubstr("MatMul"));
  EXPECT_THAT(model->PassReport(), HasSubstr("fold_constants"));
  const Shape shapes[] = {Shape({3, 4})};
  EXPECT_THAT(model->PlanDump(shapes).value(), HasSubstr("arena"));
}

constexpr int64_t kWidth = 192;
constexpr int64_t kMatrixBytes = kWidth * kWidth * 4;

// y = (x * w) * w2, whose weights are large enough to come and go, in a file of its own.
class LargeWeightsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    ModelBuilder builder;
    builder.NamedInput("x", DType::kFloat32, {"batch", "width"});
    FixDimension(builder, 1, kWidth);
    AddMatrix(builder, "w", 1);
    AddMatrix(builder, "w2", 2);
    builder.Node("MatMul", {"x", "w"}, {"p"});
    builder.Node("MatMul", {"p", "w2"}, {"y"});
    builder.Output("y");
    std::ofstream(path_, std::ios::binary) << builder.Bytes();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static void AddMatrix(ModelBuilder& builder, const char* name, unsigned seed) {
    std::vector<float> values(kWidth * kWidth);
    std::minstd_rand random(seed);
    for (float& value : values) value = static_cast<float>(random() % 64) / 64 - 0.5f;
    ::onnx::TensorProto& tensor = builder.Floats(name, {kWidth, kWidth}, {});
    tensor.set_raw_data(values.data(), values.size() * sizeof(float));
  }

  static Tensor Rows(int64_t batch) { return RandomTensor(Shape({batch, kWidth})); }

  const std::string folder_ = ::testing::TempDir() + "/inferd_large_weights_test";
  const std::string path_ = folder_ + "/model.onnx";
};

TEST_F(LargeWeightsTest, AreInMemoryOncePacked) {
  auto model = *Compile(path_, {});
  EXPECT_EQ(model->memory_use().weight_bytes, 0);
  ASSERT_TRUE(model->Prepare({Shape({4, kWidth})}).ok());
  const int64_t bytes = model->memory_use().weight_bytes;
  EXPECT_GE(bytes, 2 * kMatrixBytes);
  EXPECT_LT(bytes, 3 * kMatrixBytes);
}

TEST_F(LargeWeightsTest, AreReadAgainFromAFileThatWasRemoved) {
  auto model = *Compile(path_, {});
  const Tensor x = Rows(70);
  EngineConfig portable;
  portable.providers = {"portable"};
  const std::vector<float> expected = RunFloats(**Compile(path_, portable), {x});
  EXPECT_FALSE(RunFloats(*model, {Rows(1)}).empty());
  std::filesystem::remove(path_);
  EXPECT_THAT(RunFloats(*model, {x}), ::testing::Pointwise(::testing::FloatNear(1e-3f), expected));
}

TEST_F(LargeWeightsTest, AreNotReadFromAFileThatWasWrittenTo) {
  const auto size = std::filesystem::file_size(path_);
  for (const auto new_size : {size, size / 2, size_t{0}}) {
    SetUp();
    auto model = *Compile(path_, {});
    std::ofstream(path_, std::ios::binary | std::ios::in) << "x";
    std::filesystem::resize_file(path_, new_size);
    std::filesystem::last_write_time(
        path_, std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
    const absl::Status status = model->Prepare({Shape({4, kWidth})});
    ASSERT_FALSE(status.ok()) << new_size;
    EXPECT_THAT(std::string(status.message()),
                ::testing::AnyOf(HasSubstr("was written to"), HasSubstr("shrank")));
  }
}

#ifndef __SANITIZE_ADDRESS__  // which keeps freed memory for a while
int64_t ResidentBytes() {
  int64_t total = 0;
  int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * 4096;
}

TEST_F(LargeWeightsTest, LeaveNothingBehindWhenTwoHundredModelsWereLoadedAndUnloaded) {
  int64_t after_warm_up = 0;
  for (int i = 0; i < 200; ++i) {
    if (i == 40) after_warm_up = ResidentBytes();
    auto model = *Compile(path_, {});
    ASSERT_FALSE(RunFloats(*model, {Rows(1 + i % 3)}).empty());
  }
  EXPECT_LT(ResidentBytes() - after_warm_up, 2 << 20);
}
#endif

TEST_F(LargeWeightsTest, AreMeasuredUnderWaysToMultiplyThem) {
  EngineConfig config;
  config.cache_dir = folder_ + "/cache";
  CoreSlots slots(1, 1);
  auto model = *Compile(path_, config);
  const std::vector<float> before = RunFloats(*model, {Rows(5)});
  const TuningReport report = *model->Tune(slots, nullptr);
  EXPECT_FALSE(report.steps.empty());
  EXPECT_GT(report.time, absl::ZeroDuration());
  EXPECT_THAT(RunFloats(*model, {Rows(5)}),
              ::testing::Pointwise(::testing::FloatNear(1e-3f), before));
  EXPECT_TRUE(model->Tune(slots, nullptr)->steps.empty());
  ASSERT_TRUE(model->SaveCache().ok());
  // The next start knows.
  model = *Compile(path_, config);
  ASSERT_TRUE(model->Prepare({Shape({5, kWidth})}).ok());
  EXPECT_TRUE(model->Tune(slots, nullptr)->steps.empty());
}

TEST_F(LargeWeightsTest, AreNotMeasuredWhenKernelsAreChosenByRuleAlone) {
  CoreSlots slots(1, 1);
  EngineConfig deterministic;
  deterministic.deterministic = true;
  EngineConfig no_time;
  no_time.tuning_seconds = 0;
  for (const EngineConfig& config : {deterministic, no_time}) {
    auto model = *Compile(path_, config);
    ASSERT_TRUE(model->Prepare({Shape({5, kWidth})}).ok());
    EXPECT_TRUE(model->Tune(slots, nullptr)->steps.empty());
  }
}

TEST_F(LargeWeightsTest, AreNotMeasuredFromAFileThatWasWrittenTo) {
  CoreSlots slots(1, 1);
  auto model = *Compile(path_, {});
  const std::vector<float> before = RunFloats(*model, {Rows(5)});
  std::ofstream(path_, std::ios::binary | std::ios::in) << "x";
  std::filesystem::last_write_time(
      path_, std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_FALSE(model->Tune(slots, nullptr).ok());
  EXPECT_EQ(RunFloats(*model, {Rows(5)}), before);
}

TEST_F(LargeWeightsTest, AreKeptWithTheVerdictsOfTheStart) {
  EngineConfig config;
  config.cache_dir = folder_ + "/cache";
  CoreSlot slot(1);
  auto model = *Compile(path_, config);
  ASSERT_FALSE(RunFloats(*model, {Rows(2)}).empty());
  const BatchVerdict first = model->CheckBatching(slot);
  EXPECT_EQ(first.safety, BatchSafety::kProven);
  ASSERT_TRUE(model->SaveCache().ok());
  model = *Compile(path_, config);
  const BatchVerdict second = model->CheckBatching(slot);
  EXPECT_EQ(second.safety, first.safety);
  EXPECT_EQ(second.reason, first.reason);
  EXPECT_THAT(model->CacheReport(), HasSubstr("uses 3 sections"));
}

TEST_F(LargeWeightsTest, ComeFromTheCacheAtTheNextStart) {
  EngineConfig config;
  config.cache_dir = folder_ + "/cache";
  const Tensor x = Rows(5);
  auto first = *Compile(path_, config);
  const std::vector<float> expected = RunFloats(*first, {x});
  EXPECT_THAT(first->CacheReport(), HasSubstr("found no"));
  ASSERT_TRUE(first->SaveCache().ok());
  auto second = *Compile(path_, config);
  EXPECT_THAT(second->CacheReport(), HasSubstr("uses"));
  EXPECT_EQ(RunFloats(*second, {x}), expected);
  EXPECT_EQ(second->memory_use().weight_bytes, first->memory_use().weight_bytes);
  // Another file under the same path is another model.
  SetUp();
  std::filesystem::last_write_time(
      path_, std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_THAT((*Compile(path_, config))->CacheReport(), HasSubstr("found no"));
}

}  // namespace
}  // namespace inferd
