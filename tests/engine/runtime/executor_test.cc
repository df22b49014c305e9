#include "engine/runtime/executor.h"

#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"
#include "tests/support/run_graph.h"
#include "tests/support/run_on_device.h"

namespace inferd {
namespace {

using testing::DevicePlanner;
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

TEST(ExecutorOnDevice, GoesOnAfterAFailureOnTheDevice) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {8});
  const Graph graph = b.Build({b.Op("Exp", {b.Op("Neg", {x})})});
  DevicePlanner planner;
  Executor executor(planner.PlanOf(graph, {Shape({8})}));
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  planner.device().FailNext(1);
  const absl::Status status = executor.Run(slot, {RandomTensor(Shape({8}))}, &outputs);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  EXPECT_EQ(planner.device().contexts(), 0);
  EXPECT_TRUE(executor.Run(slot, {RandomTensor(Shape({8}))}, &outputs).ok());
}

TEST(ExecutorOnDevice, KeepsItsContextWhenValuesAreToBlame) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {100, 2});
  const ValueId indices = b.Input("indices", {200}, DType::kInt64);
  const Graph graph = b.Build({b.Op("Gather", {x, indices})});
  DevicePlanner planner;
  Executor executor(planner.PlanOf(graph, {Shape({100, 2}), Shape({200})}));
  CoreSlot slot(1);
  const Tensor rows = RandomTensor(Shape({100, 2}));
  const auto all = [](int64_t index) {
    const std::vector<int64_t> values(200, index);
    return Tensor::FromValues<int64_t>(Shape({200}), absl::MakeConstSpan(values));
  };
  std::vector<Tensor> outputs;
  const absl::Status status = executor.Run(slot, {rows, all(100)}, &outputs);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(planner.device().contexts(), 1);
  ASSERT_TRUE(executor.Run(slot, {rows, all(99)}, &outputs).ok());
  EXPECT_EQ(outputs[0].data<float>()[399], rows.data<float>()[199]);
}

TEST(ExecutorOnDevice, SaysWhenTheDeviceHasNoMemoryLeft) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {8});
  const Graph graph = b.Build({b.Op("Neg", {x})});
  DevicePlanner planner;
  Executor executor(planner.PlanOf(graph, {Shape({8})}));
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  planner.device().set_cap_bytes(0);
  const absl::Status status = executor.Run(slot, {RandomTensor(Shape({8}))}, &outputs);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  planner.device().set_cap_bytes(1 << 20);
  EXPECT_TRUE(executor.Run(slot, {RandomTensor(Shape({8}))}, &outputs).ok());
}

TEST(ExecutorOnDevice, ProfilesCopiesAndKernels) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {8});
  const Graph graph = b.Build({b.Op("Neg", {x})});
  DevicePlanner planner;
  Executor executor(planner.PlanOf(graph, {Shape({8})}));
  CoreSlot slot(1);
  ModelProfile profile;
  ASSERT_TRUE(executor.RunProfiled(slot, {RandomTensor(Shape({8}))}, &profile).ok());
  ASSERT_EQ(profile.steps.size(), 3u);
  EXPECT_EQ(profile.steps[0].kernel, "to device");
  EXPECT_EQ(profile.steps[1].provider, "fake");
  EXPECT_EQ(profile.steps[2].kernel, "to host");
}

TEST(ExecutorOnDevice, RecordsNeighbouringStepsOnceTheyHaveRun) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {8});
  const ValueId y = b.Op("Exp", {b.Op("Abs", {x})});
  const Graph graph = b.Build({b.Op("Sqrt", {b.Op("Exp", {b.Op("Neg", {y})})})});
  DevicePlanner planner([](const Graph&, const Node& node) { return node.op->name != "Neg"; });
  Executor executor(planner.PlanOf(graph, {Shape({8})}));
  CoreSlot slot(1);
  for (int run = 0; run < 5; ++run) {
    // Other inputs each time: the graph holds no values.
    const Tensor input = RandomTensor(Shape({8}), run);
    std::vector<Tensor> outputs;
    ASSERT_TRUE(executor.Run(slot, {input}, &outputs).ok());
    testing::ExpectNear(outputs[0], testing::RunPortable(graph, {input})[0], 1e-6f);
  }
  // Two graphs, one on either side of Neg, in the third run and those after it.
  EXPECT_EQ(planner.device().launches(), 2 * 3);
}

TEST(ExecutorOnDevice, RecordsAgainAfterAFailure) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {8});
  const Graph graph = b.Build({b.Op("Exp", {b.Op("Neg", {x})})});
  DevicePlanner planner;
  Executor executor(planner.PlanOf(graph, {Shape({8})}));
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  for (int run = 0; run < 3; ++run) {
    ASSERT_TRUE(executor.Run(slot, {RandomTensor(Shape({8}))}, &outputs).ok());
  }
  EXPECT_EQ(planner.device().launches(), 1);
  planner.device().FailNext(1);
  EXPECT_FALSE(executor.Run(slot, {RandomTensor(Shape({8}))}, &outputs).ok());
  for (int run = 0; run < 3; ++run) {
    ASSERT_TRUE(executor.Run(slot, {RandomTensor(Shape({8}))}, &outputs).ok());
  }
  EXPECT_EQ(planner.device().launches(), 3);
}

}  // namespace
}  // namespace inferd
