#include "engine/runtime/executor.h"

#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"
#include "tests/support/run_graph.h"

namespace inferd {
namespace {

using testing::GraphBuilder;
using testing::RandomTensor;

std::shared_ptr<const Plan> PlanOf(const Graph& graph, const std::vector<Shape>& shapes) {
  PlanOptions options;
  options.max_arena_bytes = int64_t{1} << 20;
  return BuildPlan(BindShapes(graph, shapes).value(), options).value();
}

TEST(Executor, ProfilesEveryStepOfEveryRun) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 6});
  const ValueId product = b.Op("MatMul", {x, b.Weights(Shape({6, 5}))});
  Executor executor(PlanOf(b.Build({b.Op("Relu", {product})}), {Shape({4, 6})}));
  CoreSlot slot(1);
  ModelProfile profile;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(executor.RunProfiled(slot, {RandomTensor(Shape({4, 6}))}, &profile).ok());
  }
  ASSERT_EQ(profile.steps.size(), 2u);
  EXPECT_EQ(profile.steps[0].op, "MatMul");
  EXPECT_EQ(profile.steps[0].provider, "portable");
  EXPECT_EQ(profile.steps[0].output, "float32[4,5]");
  EXPECT_EQ(profile.steps[0].flops, 2 * 4 * 5 * 6);
  EXPECT_EQ(profile.steps[0].bytes, 4 * (4 * 6 + 6 * 5 + 4 * 5));
  EXPECT_EQ(profile.steps[1].flops, 0);
  ASSERT_EQ(profile.runs.size(), 2u);
  for (const std::vector<StepTime>& run : profile.runs) {
    ASSERT_EQ(run.size(), 2u);
    EXPECT_EQ(run[0].start, absl::ZeroDuration());
    EXPECT_EQ(run[1].start, run[0].duration);
  }
}

TEST(Executor, DescribesStepsWhoseShapesComeWithTheData) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {5});
  Executor executor(PlanOf(b.Build({b.Op("NonZero", {x})}), {Shape({5})}));
  CoreSlot slot(1);
  ModelProfile profile;
  const Tensor input = Tensor::FromValues<float>(Shape({5}), {0, 1, 0, 2, 3});
  ASSERT_TRUE(executor.RunProfiled(slot, {input}, &profile).ok());
  ASSERT_EQ(profile.steps.size(), 1u);
  EXPECT_EQ(profile.steps[0].output, "int64[1,3]");
}

TEST(Executor, AddsNothingToAProfileWhenARunFails) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2});
  const ValueId indices = b.Input("indices", {1}, DType::kInt64);
  Executor executor(PlanOf(b.Build({b.Op("Gather", {x, indices})}), {Shape({2}), Shape({1})}));
  CoreSlot slot(1);
  ModelProfile profile;
  const Tensor wrong = Tensor::FromValues<int64_t>(Shape({1}), {7});
  EXPECT_FALSE(executor.RunProfiled(slot, {RandomTensor(Shape({2})), wrong}, &profile).ok());
  EXPECT_TRUE(profile.runs.empty());
}

}  // namespace
}  // namespace inferd
