#include "engine/precision_check.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "engine/providers/providers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/model_builder.h"
#include "tests/support/run_graph.h"

namespace inferd {
namespace {

using ::inferd::testing::ModelBuilder;
using ::testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Tensor Floats(std::vector<float> values) {
  return Tensor::FromValues<float>(Shape({static_cast<int64_t>(values.size())}),
                                   absl::Span<const float>(values));
}

TEST(PrecisionCheck, CountsDifferencesByTheSizeOfTheAnswer) {
  EXPECT_EQ(OutputError(Floats({1, 2, 3}), Floats({1, 2, 3})), 0);
  EXPECT_NEAR(OutputError(Floats({3, 4, 0}), Floats({3, 4, 0.5f})), 0.1, 1e-6);
  EXPECT_EQ(OutputError(Floats({}), Floats({})), 0);
  EXPECT_GT(OutputError(Floats({0, 0}), Floats({0, 1e-3f})), 1);
}

TEST(PrecisionCheck, CountsWhatIsNoNumberWhereTheOtherIsOneAsWrong) {
  EXPECT_EQ(OutputError(Floats({1, kNan, kInfinity}), Floats({1, kNan, kInfinity})), 0);
  EXPECT_EQ(OutputError(Floats({1, 2}), Floats({1, kNan})), 1);
  EXPECT_EQ(OutputError(Floats({1, kInfinity}), Floats({1, 2})), 1);
  EXPECT_EQ(OutputError(Floats({1, 2}), Floats({1})), 1);
}

TEST(PrecisionCheck, CountsTheShareOfOtherClasses) {
  const Tensor a = Tensor::FromValues<int64_t>(Shape({4}), {1, 2, 3, 4});
  const Tensor b = Tensor::FromValues<int64_t>(Shape({4}), {1, 2, 9, 4});
  EXPECT_EQ(OutputError(a, b), 0.25);
  EXPECT_EQ(OutputError(a, a), 0);
}

TEST(PrecisionCheck, WritesAndReadsVerdicts) {
  for (const bool accepted : {false, true}) {
    const PrecisionVerdict verdict = PrecisionVerdictOf(TextOf({accepted, "so it was"}));
    EXPECT_EQ(verdict.accepted, accepted);
    EXPECT_EQ(verdict.reason, "so it was");
  }
  for (const char* text : {"", "1", "x", "yes, take it"}) {
    EXPECT_FALSE(PrecisionVerdictOf(text).accepted) << text;
    EXPECT_EQ(PrecisionVerdictOf(text).reason, "") << text;
  }
}

// x times a matrix of this scale over rows of `width`, then a softmax.
ModelBuilder Product(int64_t width, float scale) {
  ModelBuilder builder;
  builder.NamedInput("x", DType::kFloat32, {"batch", "width"});
  auto* shape =
      builder.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape->mutable_dim(1)->set_dim_value(width);
  const Tensor weights = testing::RandomTensor(Shape({width, width}));
  std::vector<float> values(weights.data<float>(), weights.data<float>() + width * width);
  for (float& value : values) value *= scale;
  builder.Floats("w", {width, width}, values);
  builder.Node("MatMul", {"x", "w"}, {"y"});
  builder.Output("y");
  return builder;
}

class AutoPrecisionTest : public ::testing::Test {
 protected:
  AutoPrecisionTest() : folder_(::testing::TempDir() + "/inferd_precision_test") {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ + "/model.onnx", std::ios::binary) << Product(64, 0.1f).Bytes();
    config_.precision = Precision::kAuto;
    config_.deterministic = true;  // speed is not asked for: other work runs beside tests
    config_.max_precision_error = 0.05;
  }
  ~AutoPrecisionTest() override { std::filesystem::remove_all(folder_); }

  bool HasBfloat16() const {
    EngineConfig config = config_;
    config.precision = Precision::kBfloat16;
    return ComputesIn(Precision::kBfloat16, config);
  }

  std::unique_ptr<Model> CompileModel() const {
    auto model = Compile(folder_ + "/model.onnx", config_);
    EXPECT_TRUE(model.ok()) << model.status();
    return *std::move(model);
  }

  const std::string folder_;
  EngineConfig config_;
};

TEST_F(AutoPrecisionTest, TakesBfloat16WhereItsErrorIsAllowed) {
  if (!HasBfloat16()) GTEST_SKIP() << "bfloat16 is not faster on this processor";
  auto model = CompileModel();
  EXPECT_EQ(model->precision().precision, Precision::kBfloat16);
  EXPECT_THAT(model->precision().note, HasSubstr("precision auto: bf16, answers to three random"));
  EXPECT_FALSE(model->precision().is_warning);
}

TEST_F(AutoPrecisionTest, KeepsFloatsWhereTheErrorIsTooLarge) {
  config_.max_precision_error = 1e-5;
  auto model = CompileModel();
  EXPECT_EQ(model->precision().precision, Precision::kFloat32);
  EXPECT_THAT(model->precision().note, HasSubstr(HasBfloat16() ? "at most 1e-05" : "bf16 needs"));
}

TEST_F(AutoPrecisionTest, KeepsFloatsOnAProviderWithoutBfloat16) {
  config_.providers = {"portable"};
  EXPECT_THAT(CompileModel()->precision().note, HasSubstr("fp32, bf16 needs the cpu provider"));
}

TEST_F(AutoPrecisionTest, RemembersWhatWasMeasured) {
  if (!HasBfloat16()) GTEST_SKIP() << "bfloat16 is not faster on this processor";
  config_.cache_dir = folder_ + "/cache";
  const std::string note = CompileModel()->precision().note;
  config_.max_precision_error = 0;
  EXPECT_EQ(CompileModel()->precision().precision, Precision::kFloat32) << "another budget";
  // The time that was measured would be another one.
  config_.max_precision_error = 0.05;
  EXPECT_EQ(CompileModel()->precision().note, note);
}

}  // namespace
}  // namespace inferd
