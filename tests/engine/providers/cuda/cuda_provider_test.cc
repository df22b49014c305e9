#include <cstdlib>

#include "engine/plan/kernel_choices.h"
#include "engine/runtime/kernel_tuner.h"
#include "gmock/gmock.h"
#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using ::testing::HasSubstr;
using testing::IntAttribute;
using testing::MakeAttributes;
using ::testing::Not;
using testing::RandomOf;
using testing::RandomTensor;

// Over the emulated libraries, whose algorithms have made-up times.
class CudaTuning : public CudaProviderTest {
 protected:
  void SetUp() override {
    if (std::getenv("INFERD_TEST_PROVIDER") != nullptr) GTEST_SKIP() << "times are those of a GPU";
    CudaProviderTest::SetUp();
  }

  static Graph Product() {
    GraphBuilder b;
    const ValueId x = b.Input("x", Shape({6, 8}));
    return b.Build({b.Op("MatMul", {x, b.Weights(Shape({8, 16}))})});
  }
  static Graph Convolution() {
    GraphBuilder b;
    const ValueId x = b.Input("x", Shape({1, 4, 5, 5}));
    return b.Build({b.Op("Conv", {x, b.Weights(Shape({8, 4, 3, 3}))})});
  }

  Graph Bound(const Graph& graph, const Shape& shape) {
    Graph bound = BindShapes(graph, {shape}).value();
    EXPECT_TRUE(RunPasses(BoundPasses(), bound, {config_, providers_}).ok());
    return bound;
  }
  std::vector<TunedStep> Tune(const Graph& bound) {
    KernelTuner tuner({providers_, &choices_, &slots_, [] { return false; }, 1});
    return tuner.Tune(bound, &budget_).value();
  }
  // The plan with what was chosen, having run with the portable answers.
  std::string PlanWithChoices(const Graph& graph, const Graph& bound, const Tensor& input) {
    PlanOptions options;
    options.providers = providers_;
    options.device_weights = &weights_;
    options.choices = &choices_;
    options.max_arena_bytes = int64_t{1} << 30;
    const auto plan = BuildPlan(bound, options).value();
    Executor executor(plan);
    CoreSlot slot(1);
    std::vector<Tensor> outputs;
    EXPECT_TRUE(executor.Run(slot, {input}, &outputs).ok());
    EXPECT_TRUE(
        testing::TensorsAgree(testing::RunPortable(graph, {input})[0], outputs[0], 1e-5, 1e-6));
    return plan->ToString();
  }

  KernelChoices choices_;
  CoreSlots slots_{1, 1};
  absl::Duration budget_ = absl::Seconds(100);
};

TEST_F(CudaTuning, TakesTheFastestAlgorithmOfAProductThatComputesTheSame) {
  const Shape shape({6, 8});
  const Graph bound = Bound(Product(), shape);
  const auto steps = Tune(bound);
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].chosen, "algorithm 1");
  EXPECT_EQ(steps[0].candidates.size(), 3u);  // the wrong one is not among them
  EXPECT_NEAR(absl::ToDoubleMilliseconds(steps[0].candidates[0].time), 1, 1e-3);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(steps[0].candidates[1].time), 0.25, 1e-3);
  EXPECT_THAT(PlanWithChoices(Product(), bound, RandomTensor(shape, 1)),
              HasSubstr("cublasLt algorithm 1"));
  EXPECT_TRUE(Tune(bound).empty());
}

TEST_F(CudaTuning, TakesTheFastestAlgorithmOfAProductOfIntegers) {
  GraphBuilder b;
  const ValueId x = b.Input("x", Shape({4, 16}), DType::kInt8);
  std::vector<int8_t> weights(16 * 16);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<int8_t>(7 * i % 101);
  const ValueId w = b.Constant(Shape({16, 16}), std::move(weights));
  const auto steps = Tune(Bound(b.Build({b.Op("MatMulInteger", {x, w})}), Shape({4, 16})));
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].chosen, "algorithm 1");
}

TEST_F(CudaTuning, TakesTheFastestAlgorithmOfAProductOfFloatsOfEightBits) {
  const DType type = DType::kFloat8E4m3fn;
  GraphBuilder b;
  const ValueId x = b.Input("x", Shape({4, 16}), type);
  const ValueId w = b.graph().AddConstant("", RandomOf(type, Shape({16, 32})));
  const ValueId scale = b.Scalar(0.5f);
  const Graph graph = b.Build({b.Op("ScaledMatMul", {x, w, scale, scale}, {}, "inferd")});
  const auto steps = Tune(Bound(graph, Shape({4, 16})));
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].chosen, "algorithm 1");
}

TEST_F(CudaTuning, TakesTheFastestEngineOfAConvolutionThatRoundsNothing) {
  const Shape shape({1, 4, 5, 5});
  const Graph bound = Bound(Convolution(), shape);
  const auto steps = Tune(bound);
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].chosen, "algorithm 1");
  EXPECT_EQ(steps[0].candidates.size(), 2u);
}

TEST_F(CudaTuning, TakesTheFirstAlgorithmWhereNothingWasMeasured) {
  const Shape shape({6, 8});
  const Graph bound = Bound(Product(), shape);
  EXPECT_THAT(PlanWithChoices(Product(), bound, RandomTensor(shape, 1)),
              Not(HasSubstr("algorithm")));
}

TEST_F(CudaTuning, TakesTheFirstAlgorithmForAChoiceThatMakesNoSense) {
  const Shape shape({6, 8});
  const Graph bound = Bound(Product(), shape);
  for (const char* choice : {"algorithm 99", "algorithm -1", "algorithm x", "winograd"}) {
    choices_.Set(StepKey(bound, bound.node(0), providers_[0]->tuning_identity(), 1), choice);
    EXPECT_THAT(PlanWithChoices(Product(), bound, RandomTensor(shape, 1)),
                Not(HasSubstr("algorithm")));
  }
}

TEST_F(CudaTuning, KeepsTimesByDeviceAndLibraries) {
  const std::string identity = providers_[0]->tuning_identity();
  for (const char* part : {"emulated GPU", "cuBLASLt 130000", "cuDNN 9"}) {
    EXPECT_THAT(identity, HasSubstr(part));
  }
  EXPECT_THAT(identity, Not(HasSubstr("tf32")));
}

TEST_F(CudaTuning, BeginsNoStepOnceTheBudgetIsUsedUp) {
  budget_ = absl::ZeroDuration();
  EXPECT_TRUE(Tune(Bound(Product(), Shape({6, 8}))).empty());
}

// A block of a transformer in float16 as exporters write it: normalized and softmaxed in floats
// between Casts, a Gelu of its parts.
class HalfBlock {
 public:
  static constexpr int64_t kRows = 5;
  static constexpr int64_t kHeads = 2;
  static constexpr int64_t kDepth = 8;
  static constexpr int64_t kWidth = kHeads * kDepth;

  Graph Build() {
    ValueId x = b_.Input("x", {1, kRows, kWidth}, DType::kFloat16);
    x = b_.Op("Add", {x, Project(Attend(Normalized(x)), kWidth, kWidth)});
    const ValueId wide = Project(Normalized(x), kWidth, 4 * kWidth);
    x = b_.Op("Add", {x, Project(Gelu(wide), 4 * kWidth, kWidth)});
    return b_.Build({x});
  }

 private:
  ValueId Weights(const Shape& shape) {
    return b_.graph().AddConstant("", RandomOf(DType::kFloat16, shape, ++seed_));
  }
  ValueId Number(float value) {
    return b_.graph().AddConstant("", testing::ValuesAs(DType::kFloat16, Shape(), {value}));
  }
  ValueId Cast(ValueId x, DType to) {
    return b_.Op("Cast", {x}, IntAttribute("to", static_cast<int64_t>(to)));
  }
  ValueId Normalized(ValueId x) {
    const std::vector<ValueId> inputs = {Cast(x, DType::kFloat32), b_.Weights(Shape({kWidth})),
                                         b_.Weights(Shape({kWidth}))};
    return Cast(b_.Op("LayerNormalization", inputs), DType::kFloat16);
  }
  ValueId Project(ValueId x, int64_t from, int64_t to) {
    const ValueId small =
        b_.Op("Mul", {b_.Op("MatMul", {x, Weights(Shape({from, to}))}), Number(0.25f)});
    return b_.Op("Add", {small, Weights(Shape({to}))});
  }
  ValueId Heads(ValueId x, std::vector<int64_t> order) {
    const ValueId shape = b_.Constant<int64_t>(Shape({4}), {1, kRows, kHeads, kDepth});
    return b_.Op("Transpose", {b_.Op("Reshape", {Project(x, kWidth, kWidth), shape})},
                 MakeAttributes({{"perm", std::move(order)}}));
  }
  ValueId Attend(ValueId x) {
    const ValueId q = Heads(x, {0, 2, 1, 3});
    const ValueId k = Heads(x, {0, 2, 3, 1});
    const ValueId v = Heads(x, {0, 2, 1, 3});
    ValueId scores = b_.Op("Div", {b_.Op("MatMul", {q, k}), Number(2.828f)});
    scores = b_.Op("Softmax", {Cast(scores, DType::kFloat32)}, IntAttribute("axis", -1));
    const ValueId y = b_.Op("MatMul", {Cast(scores, DType::kFloat16), v});
    const ValueId rows =
        b_.Op("Transpose", {y}, MakeAttributes({{"perm", std::vector<int64_t>{0, 2, 1, 3}}}));
    return b_.Op("Reshape", {rows, b_.Constant<int64_t>(Shape({3}), {1, kRows, kWidth})});
  }
  ValueId Gelu(ValueId x) {
    const ValueId erf = b_.Op("Erf", {b_.Op("Div", {x, Number(1.4142f)})});
    return b_.Op("Mul", {b_.Op("Mul", {x, b_.Op("Add", {erf, Number(1)})}), Number(0.5f)});
  }

  GraphBuilder b_;
  int seed_ = 0;
};

class Float16Models : public CudaProviderTest {};

TEST_F(Float16Models, RunFusedInFloat16) {
  const Graph graph = HalfBlock().Build();
  const std::vector<Tensor> inputs = {
      RandomOf(DType::kFloat16, Shape({1, HalfBlock::kRows, HalfBlock::kWidth}))};
  config_.precision = Precision::kFloat16;
  Graph optimized = graph;
  ASSERT_TRUE(RunPasses(GraphPasses(), optimized, {config_, providers_}).ok());
  const auto plan = PlanOf(optimized, inputs);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const std::string dump = (*plan)->ToString();
  EXPECT_NE(dump.find("cudnn attention"), std::string::npos) << dump;
  for (const char* left : {"Softmax", "Erf", "Transpose"}) {
    EXPECT_EQ(dump.find(left), std::string::npos) << dump;
  }
  ExpectSame(optimized, inputs, 3e-2, 3e-2);
  const std::vector<Tensor> before = testing::RunPortable(graph, inputs);
  const std::vector<Tensor> after = testing::RunPortable(optimized, inputs);
  EXPECT_TRUE(testing::TensorsAgree(before[0], after[0], 3e-2, 3e-2));
}

}  // namespace
}  // namespace inferd
