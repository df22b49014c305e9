#include "engine/passes/inline_branches.h"

#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"
#include "tests/support/run_graph.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::GraphBuilder;

// y = condition ? -x : abs(x) * 2, where the branches capture x.
Graph Choice(bool known, bool condition) {
  GraphBuilder then_branch;
  const ValueId t = then_branch.Input("x", SymbolicShape::UnknownRank());
  GraphBuilder else_branch;
  const ValueId e = else_branch.Input("x", SymbolicShape::UnknownRank());
  const ValueId doubled =
      else_branch.Op("Mul", {else_branch.Op("Abs", {e}), else_branch.Scalar(2)});
  GraphBuilder b;
  const ValueId c = known ? b.graph().AddConstant("c", Tensor::Scalar<bool>(condition))
                          : b.Input("c", SymbolicShape::Scalar(), DType::kBool);
  const ValueId x = b.Input("x", {2});
  Node node;
  node.name = "if";
  node.op = &OpRegistry::Builtin().Get("", "If");
  node.inputs = {c, x};
  node.num_captured = 1;
  node.outputs = {b.graph().AddValue("y", ValueType::OfTensor(DType::kFloat32, {}))};
  node.subgraphs["then_branch"] =
      std::make_shared<const Graph>(then_branch.Build({then_branch.Op("Neg", {t})}));
  node.subgraphs["else_branch"] = std::make_shared<const Graph>(else_branch.Build({doubled}));
  const ValueId y = node.outputs[0];
  b.graph().AddNode(std::move(node));
  return b.Build({y});
}

TEST(InlineBranches, TakesTheBranchOfAKnownCondition) {
  const Tensor x = Tensor::FromValues<float>(Shape({2}), {1, -2});
  for (const bool condition : {true, false}) {
    Graph graph = Choice(true, condition);
    EXPECT_EQ(InlineBranches(graph), 1);
    ASSERT_TRUE(graph.SortAndCompact().ok());
    ASSERT_TRUE(graph.Verify().ok()) << graph.Verify();
    EXPECT_EQ(CountOps(graph, "If"), 0);
    EXPECT_EQ(CountOps(graph, "Neg"), condition ? 1 : 0);
    const Tensor y = testing::RunPortable(graph, {x})[0];
    testing::ExpectNear(
        y,
        Tensor::FromValues<float>(Shape({2}), condition ? std::initializer_list<float>{-1, 2}
                                                        : std::initializer_list<float>{2, 4}),
        0);
  }
}

TEST(InlineBranches, LeavesAnUnknownConditionAlone) {
  Graph graph = Choice(false, true);
  EXPECT_EQ(InlineBranches(graph), 0);
  EXPECT_EQ(CountOps(graph, "If"), 1);
}

}  // namespace
}  // namespace inferd
