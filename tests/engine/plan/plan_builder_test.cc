#include "engine/plan/plan_builder.h"

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
