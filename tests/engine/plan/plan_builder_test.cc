#include "engine/plan/plan_builder.h"

#include <algorithm>
#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/fake_provider.h"
#include "tests/support/graph_builder.h"
#include "tests/support/run_graph.h"

namespace inferd {
namespace {

using testing::GraphBuilder;
using testing::RandomTensor;

std::shared_ptr<const Plan> PlanOf(const Graph& graph, const std::vector<Shape>& shapes,
                                   int64_t max_arena_bytes = 1 << 20) {
  PlanOptions options;
  options.max_arena_bytes = max_arena_bytes;
  return BuildPlan(BindShapes(graph, shapes).value(), options).value();
}

// The graph over float32[32] gives the same when the node of `y`, which reads `sum` and `operand`,
// becomes the epilogue of the one that makes `sum`.
void ExpectSameAsEpilogue(Graph& graph, ValueId sum, ValueId operand, ValueId y) {
  const Tensor input = RandomTensor(Shape({32}));
  const std::vector<Tensor> expected = testing::RunPortable(graph, {input});
  Node& add = graph.node(graph.value(sum).producer);
  add.first_epilogue_input = 2;
  add.inputs.push_back(operand);
  EpilogueStep step;
  step.op = graph.node(graph.value(y).producer).op;
  step.operand = 2;
  add.epilogue.push_back(step);
  graph.RemoveNode(graph.value(y).producer);
  graph.SetOutput(0, sum);
  ASSERT_TRUE(graph.SortAndCompact().ok());
  const std::vector<Tensor> fused = testing::RunPortable(graph, {input});
  testing::ExpectNear(fused[0], expected[0], 1e-6f);
}

TEST(PlanBuilder, RunsAChainOfElementwiseStepsInPlace) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {64});
  const Graph graph = b.Build({b.Op("Exp", {b.Op("Neg", {b.Op("Abs", {x})})})});
  EXPECT_EQ(PlanOf(graph, {Shape({64})})->arena_bytes, 64 * 4);
}

TEST(PlanBuilder, MakesNoStepForAView) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 6});
  const ValueId flat = b.Op("Reshape", {x, b.Constant<int64_t>(Shape({1}), {24})});
  const Graph graph = b.Build({b.Op("Neg", {flat})});
  EXPECT_EQ(PlanOf(graph, {Shape({4, 6})})->steps.size(), 1u);
}

TEST(PlanBuilder, KeepsAnEpilogueOperandUntilItWasRead) {
  // y = Clip(e + 3, 0, 6) * e as one node: writing e + 3 over e would spoil the product.
  GraphBuilder b;
  const ValueId x = b.Input("x", {32});
  const ValueId e = b.Op("Neg", {x});
  const ValueId sum = b.Op("Add", {e, b.Scalar(3)});
  const ValueId y = b.Op("Mul", {e, sum});
  Graph graph = b.Build({y});
  ExpectSameAsEpilogue(graph, sum, e, y);
}

TEST(PlanBuilder, DoesNotWriteOverAnOperandThatOnlyTheEpilogueReads) {
  // y = (x + 3) * e as one node: e has its last use there, but after x + 3 was written.
  GraphBuilder b;
  const ValueId x = b.Input("x", {32});
  const ValueId e = b.Op("Neg", {x});
  const ValueId sum = b.Op("Add", {x, b.Scalar(3)});
  const ValueId y = b.Op("Mul", {sum, e});
  Graph graph = b.Build({y});
  ExpectSameAsEpilogue(graph, sum, e, y);
}

Attributes Axis(int64_t axis) {
  Attributes attributes;
  attributes.Set("axis", axis);
  return attributes;
}

// How many steps apply the operator.
int CountSteps(const Plan& plan, absl::string_view op) {
  return static_cast<int>(std::count_if(plan.steps.begin(), plan.steps.end(),
                                        [&](const Step& step) { return step.op->name == op; }));
}

TEST(PlanBuilder, WritesThePartsOfAConcatWhereTheyAreJoined) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 3, 5});
  const ValueId low = b.Op("Neg", {b.Op("Exp", {x})});
  const ValueId high = b.Op("Abs", {x});
  const ValueId joined = b.Op("Concat", {low, high}, Axis(1));
  // A part that is read besides stays as it is, whatever the joined value becomes.
  const Graph graph = b.Build({b.Op("Relu", {joined}), b.Op("Mul", {low, high}), joined});
  EXPECT_EQ(CountSteps(*PlanOf(graph, {Shape({1, 3, 5})}), "Concat"), 0);
  const Tensor input = RandomTensor(Shape({1, 3, 5}));
  const std::vector<Tensor> got = testing::RunPortable(graph, {input});
  for (int64_t i = 0; i < 15; ++i) {
    const float v = input.data<float>()[i];
    EXPECT_FLOAT_EQ(got[0].data<float>()[i], 0);
    EXPECT_FLOAT_EQ(got[0].data<float>()[15 + i], std::abs(v));
    EXPECT_FLOAT_EQ(got[1].data<float>()[i], -std::exp(v) * std::abs(v));
    EXPECT_FLOAT_EQ(got[2].data<float>()[i], -std::exp(v));
  }
}

TEST(PlanBuilder, CopiesPartsThatCannotBeWrittenInPlace) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 4});
  const ValueId y = b.Op("Neg", {x});
  const ValueId twice = b.Op("Concat", {y, y}, Axis(0));
  const ValueId beside = b.Op("Concat", {twice, b.Op("Abs", {twice})}, Axis(1));
  const ValueId of_input = b.Op("Concat", {x, y}, Axis(0));
  const Graph graph = b.Build({twice, beside, of_input});
  EXPECT_EQ(CountSteps(*PlanOf(graph, {Shape({1, 4})}), "Concat"), 3);
  const Tensor input = RandomTensor(Shape({1, 4}));
  const std::vector<Tensor> got = testing::RunPortable(graph, {input});
  for (int64_t i = 0; i < 4; ++i) {
    const float v = input.data<float>()[i];
    EXPECT_FLOAT_EQ(got[0].data<float>()[4 + i], -v);
    EXPECT_FLOAT_EQ(got[1].data<float>()[8 + 4 + i], std::abs(v));
    EXPECT_FLOAT_EQ(got[2].data<float>()[i], v);
  }
}

TEST(PlanBuilder, MakesNoStepForStretchesOfAValue) {
  GraphBuilder b;
  const auto ints = [&](std::vector<int64_t> values) {
    const Shape shape({static_cast<int64_t>(values.size())});
    return b.Constant<int64_t>(shape, std::move(values));
  };
  const ValueId x = b.Op("Neg", {b.Input("x", {1, 4, 6})});
  const ValueId slice = b.Op("Slice", {x, ints({1}), ints({3}), ints({1})});
  const ValueId row = b.Op("Gather", {x, ints({2})}, Axis(1));
  Attributes perm;
  perm.Set("perm", std::vector<int64_t>{1, 0, 2});
  const ValueId turned = b.Op("Transpose", {slice}, perm);
  // Its operand is a part of what the others read: it must not be written over.
  const ValueId changed = b.Op("Exp", {slice});
  const ValueId columns = b.Op("Slice", {x, ints({1}), ints({3}), ints({2})});
  const Graph graph = b.Build({changed, b.Op("Abs", {turned}), b.Op("Abs", {row}), columns, slice});
  const auto plan = PlanOf(graph, {Shape({1, 4, 6})});
  EXPECT_EQ(CountSteps(*plan, "Slice"), 1);
  EXPECT_EQ(CountSteps(*plan, "Gather") + CountSteps(*plan, "Transpose"), 0);
  const Tensor input = RandomTensor(Shape({1, 4, 6}));
  const std::vector<Tensor> got = testing::RunPortable(graph, {input});
  for (int64_t i = 0; i < 12; ++i) {
    const float v = input.data<float>()[6 + i];
    EXPECT_FLOAT_EQ(got[0].data<float>()[i], std::exp(-v));
    EXPECT_FLOAT_EQ(got[1].data<float>()[i], std::abs(v));
    EXPECT_FLOAT_EQ(got[4].data<float>()[i], -v);
  }
  for (int64_t i = 0; i < 6; ++i) {
    EXPECT_FLOAT_EQ(got[2].data<float>()[i], std::abs(input.data<float>()[12 + i]));
  }
  EXPECT_FLOAT_EQ(got[3].data<float>()[7], -input.data<float>()[3 * 6 + 2]);
}

TEST(PlanBuilder, MakesNoStepForASplitIntoStretches) {
  GraphBuilder b;
  Node split;
  split.op = &OpRegistry::Builtin().Get("", "Split");
  split.inputs = {b.Op("Neg", {b.Input("x", {4, 3})})};
  split.attributes.Set("num_outputs", int64_t{2});
  const ValueId first = b.graph().AddValue("");
  const ValueId second = b.graph().AddValue("");
  split.outputs = {first, second};
  const NodeId id = b.graph().AddNode(std::move(split));
  ASSERT_TRUE(InferNode(b.graph(), id).ok());
  const Graph graph = b.Build({b.Op("Mul", {first, b.Op("Exp", {second})})});
  EXPECT_EQ(CountSteps(*PlanOf(graph, {Shape({4, 3})}), "Split"), 0);
  const Tensor input = RandomTensor(Shape({4, 3}));
  const std::vector<Tensor> got = testing::RunPortable(graph, {input});
  for (int64_t i = 0; i < 6; ++i) {
    const float* x = input.data<float>();
    EXPECT_FLOAT_EQ(got[0].data<float>()[i], -x[i] * std::exp(-x[6 + i]));
  }
}

TEST(PlanBuilder, MakesDynamicStepsWhereShapesDependOnData) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {6});
  const Graph graph = b.Build({b.Op("NonZero", {x})});
  const auto plan = PlanOf(graph, {Shape({6})});
  ASSERT_EQ(plan->steps.size(), 1u);
  EXPECT_TRUE(plan->steps[0].dynamic);
}

TEST(PlanBuilder, RefusesAnArenaOverTheLimit) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("n")});
  const Graph graph = b.Build({b.Op("Neg", {x})});
  PlanOptions options;
  options.max_arena_bytes = 1000;
  const Graph bound = BindShapes(graph, std::vector<Shape>{Shape({1000})}).value();
  EXPECT_EQ(BuildPlan(bound, options).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(PlanBuilder, PlansNodesWithoutInputs) {
  GraphBuilder b;
  Attributes attributes;
  attributes.Set("shape", std::vector<int64_t>{2, 3});
  const Graph graph = b.Build({b.Op("RandomNormal", {}, attributes)});
  EXPECT_EQ(testing::RunPortable(graph, {})[0].shape(), Shape({2, 3}));
}

}  // namespace
}  // namespace inferd
