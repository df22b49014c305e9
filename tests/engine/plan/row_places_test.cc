#include "engine/plan/row_places.h"

#include <algorithm>
#include <set>
#include <string>

#include "engine/plan/binder.h"
#include "engine/plan/plan_builder.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/cpu_provider.h"
#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"
#include "tests/support/run_graph.h"

namespace inferd {
namespace {

using testing::GraphBuilder;
using testing::RandomTensor;

constexpr int64_t kRows = 40;

Attributes Axis(int64_t axis) {
  Attributes attributes;
  attributes.Set("axis", axis);
  return attributes;
}

// Graphs over float32[40, 32] of products by the processor's kernels.
class RowPlaces : public ::testing::Test {
 protected:
  // x times a matrix that no other node has.
  ValueId Product(ValueId x, int64_t depth, int64_t columns) {
    return b_.Op("MatMul",
                 {x, b_.graph().AddConstant("", RandomTensor(Shape({depth, columns}), ++seed_))});
  }

  ValueId Slice(ValueId x, int64_t begin, int64_t end) {
    const Shape one({1});
    return b_.Op("Slice", {x, b_.Constant<int64_t>(one, {begin}), b_.Constant<int64_t>(one, {end}),
                           b_.Constant<int64_t>(one, {1})});
  }

  std::vector<ValueId> Split(ValueId x) {
    const ValueId first = b_.Op("Split", {x}, Axis(1));
    Graph& graph = b_.graph();
    const ValueId second = graph.AddValue("");
    graph.value(second).type = ValueType::OfTensor(DType::kFloat32, Shape({kRows, 16}));
    graph.value(first).type = graph.value(second).type;
    graph.value(second).producer = graph.value(first).producer;
    graph.node(graph.value(first).producer).outputs.push_back(second);
    return {first, second};
  }

  // The plan's answers are those of the portable kernels, also in a second run.
  void ExpectSame(std::vector<ValueId> outputs) {
    const Graph graph = b_.Build(std::move(outputs));
    const Tensor input = RandomTensor(Shape({kRows, 32}));
    const std::vector<Tensor> expected = testing::RunPortable(graph, {input});
    providers_.push_back(std::make_unique<CpuProvider>());
    PlanOptions options;
    options.providers = providers_;
    options.weights = &weights_;
    options.max_arena_bytes = 1 << 24;
    plan_ = BuildPlan(BindShapes(graph, {input.shape()}).value(), options).value();
    Executor executor(plan_);
    CoreSlot slot(1);
    for (int run = 0; run < 2; ++run) {
      std::vector<Tensor> got;
      ASSERT_TRUE(executor.Run(slot, {&input, 1}, &got).ok());
      for (size_t i = 0; i < got.size(); ++i) testing::ExpectNear(got[i], expected[i], 1e-4f);
    }
  }

  int CountSteps(absl::string_view op) const {
    return static_cast<int>(std::count_if(plan_->steps.begin(), plan_->steps.end(),
                                          [&](const Step& step) { return step.op->name == op; }));
  }

  GraphBuilder b_;
  int seed_ = 10;
  std::vector<std::unique_ptr<ExecutionProvider>> providers_;
  WeightStore weights_;
  std::shared_ptr<const Plan> plan_;
};

TEST_F(RowPlaces, ProductsWriteTheirRowsWhereAConcatJoinsThem) {
  const ValueId x = b_.Input("x", {kRows, 32});
  const ValueId joined =
      b_.Op("Concat", {Product(x, 32, 24), Product(x, 32, 7), Product(x, 32, 33)}, Axis(1));
  ExpectSame({b_.Op("Relu", {joined}), joined});
  EXPECT_EQ(CountSteps("Concat"), 0);
  EXPECT_EQ(plan_->steps[1].output_step, 64);
}

TEST_F(RowPlaces, AConcatCopiesOnlyWhatCouldNotBeWrittenInPlace) {
  const ValueId x = b_.Input("x", {kRows, 32});
  const ValueId seen = Product(x, 32, 8);
  const ValueId twice = Product(x, 32, 9);
  const ValueId placed = Product(x, 32, 24);
  const ValueId joined = b_.Op("Concat", {x, seen, twice, placed, twice}, Axis(1));
  ExpectSame({b_.Op("Neg", {joined}), seen});
  EXPECT_EQ(CountSteps("Concat"), 1);
  for (const Step& step : plan_->steps) {
    const bool is_placed = !step.outputs.empty() && step.outputs[0] == placed;
    EXPECT_EQ(step.output_step, is_placed ? 32 + 8 + 9 + 24 + 9 : 0) << step.name;
  }
}

TEST_F(RowPlaces, AJoinedPartIsReadWhereItLies) {
  const ValueId x = b_.Input("x", {kRows, 32});
  const ValueId first = Product(x, 32, 24);
  const ValueId second = Product(first, 24, 16);
  ExpectSame({b_.Op("Neg", {b_.Op("Concat", {second, first}, Axis(1))})});
  EXPECT_EQ(CountSteps("Concat"), 0);
}

TEST_F(RowPlaces, AStepThatTakesOnlyWholeTensorsKeepsAPartOutOfPlace) {
  const ValueId x = b_.Input("x", {kRows, 32});
  const ValueId first = Product(x, 32, 24);
  const ValueId sums = b_.Op("Softmax", {first}, Axis(1));
  ExpectSame({b_.Op("Neg", {b_.Op("Concat", {first, Product(x, 32, 8)}, Axis(1))}), sums});
  EXPECT_EQ(CountSteps("Concat"), 1);
}

TEST_F(RowPlaces, ProductsReadTheHalvesOfASplitAndASliceWhereTheyLie) {
  const ValueId x = b_.Op("Tanh", {b_.Input("x", {kRows, 32})});
  const std::vector<ValueId> halves = Split(x);
  const ValueId part = Slice(x, 5, 18);
  ExpectSame({Product(halves[0], 16, 12), Product(halves[1], 16, 20), Product(part, 13, 9),
              Product(part, 13, 17)});
  EXPECT_EQ(CountSteps("Split"), 0);
  EXPECT_EQ(CountSteps("Slice"), 0);
}

TEST_F(RowPlaces, ASplitCopiesTheHalfThatOthersRead) {
  const ValueId x = b_.Op("Tanh", {b_.Input("x", {kRows, 32})});
  const std::vector<ValueId> halves = Split(x);
  ExpectSame({Product(halves[0], 16, 12), b_.Op("Softmax", {halves[1]}, Axis(1))});
  EXPECT_EQ(CountSteps("Split"), 1);
}

TEST_F(RowPlaces, WhatLiesInAWholeOutlivesTheStepThatCutIt) {
  // The slice is read long after its Slice: nothing may take the whole's memory in between.
  const ValueId x = b_.Op("Tanh", {b_.Input("x", {kRows, 32})});
  const ValueId part = Slice(x, 16, 32);
  ValueId y = x;
  for (int i = 0; i < 5; ++i) y = b_.Op("Softmax", {Product(y, 32, 32)}, Axis(1));
  ExpectSame({b_.Op("Concat", {y, Product(part, 16, 8)}, Axis(1))});
}

}  // namespace
}  // namespace inferd
