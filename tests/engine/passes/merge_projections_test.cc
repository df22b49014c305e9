#include "engine/ops/strided_attention.h"
#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::FakePassContext;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::RunPass;
using testing::SupportsEverything;

constexpr int64_t kBatch = 2, kRows = 3, kHeads = 2, kDepth = 4, kInner = 5;
constexpr int64_t kColumns = kHeads * kDepth;

// Attention over rows as products write them; `group` query heads share one of K and V.
ValueId Attend(GraphBuilder& b, ValueId q, ValueId k, ValueId v, int64_t group = 1) {
  StridedAttention attention;
  attention.batch = kBatch;
  attention.heads = kHeads * group;
  attention.group = group;
  attention.queries = attention.keys = kRows;
  attention.depth = attention.width = kDepth;
  attention.q = attention.y = HeadLayout::RowFirst(kHeads * group, kRows, kDepth);
  attention.k = attention.v = HeadLayout::RowFirst(kHeads, kRows, kDepth);
  attention.scale = 0.5f;
  attention.output_shape = Shape({kBatch, kRows, kHeads * group * kDepth});
  return b.Op("Attention", {q, k, v}, attention.ToAttributes(), "inferd");
}

ValueId Project(GraphBuilder& b, ValueId x, bool bias, int64_t columns = kColumns) {
  const ValueId y = b.Op("MatMul", {x, b.Weights(Shape({kInner, columns}))});
  return bias ? b.Op("Add", {y, b.Weights(Shape({columns}))}) : y;
}

ValueId Rows(GraphBuilder& b, const char* name) { return b.Input(name, {kBatch, kRows, kInner}); }
Tensor SomeRows(int seed = 1) { return RandomTensor(Shape({kBatch, kRows, kInner}), seed); }

// Biases become epilogues first, as in the pipeline.
void ExpectMerged(Graph& graph, const std::vector<Tensor>& inputs, int products) {
  const FakePassContext context = SupportsEverything();
  RunPass(FuseEpilogues, graph, context);
  ExpectSameAnswers(MergeProjections, graph, inputs, 1, context);
  EXPECT_EQ(CountOps(graph, "MatMul") + CountOps(graph, "Gemm"), products) << graph.ToString();
}

TEST(MergeProjections, MakesOneProductOfThree) {
  for (const bool bias : {false, true}) {
    GraphBuilder b;
    const ValueId x = Rows(b, "x");
    Graph graph =
        b.Build({Attend(b, Project(b, x, bias), Project(b, x, bias), Project(b, x, bias))});
    ExpectMerged(graph, {SomeRows()}, 1);
  }
}

TEST(MergeProjections, TakesZerosForABiasThatIsAbsent) {
  GraphBuilder b;
  const ValueId x = Rows(b, "x");
  Graph graph =
      b.Build({Attend(b, Project(b, x, true), Project(b, x, false), Project(b, x, true))});
  ExpectMerged(graph, {SomeRows()}, 1);
}

TEST(MergeProjections, TakesFewerColumnsOfKeysThatGroupsShare) {
  GraphBuilder b;
  const ValueId x = Rows(b, "x");
  const ValueId q = Project(b, x, true, 2 * kColumns);
  Graph graph = b.Build({Attend(b, q, Project(b, x, true), Project(b, x, true), 2)});
  ExpectMerged(graph, {SomeRows()}, 1);
}

TEST(MergeProjections, MergesKeysAndValuesOfAnotherSequence) {
  GraphBuilder b;
  const ValueId x = Rows(b, "x");
  const ValueId memory = Rows(b, "memory");
  Graph graph =
      b.Build({Attend(b, Project(b, x, true), Project(b, memory, true), Project(b, memory, true))});
  ExpectMerged(graph, {SomeRows(), SomeRows(2)}, 2);
}

TEST(MergeProjections, TakesTransposedWeightsOfGemm) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch * kRows, kInner});
  Attributes transposed;
  transposed.Set("transB", int64_t{1});
  const auto project = [&] {
    return b.Op("Gemm", {x, b.Weights(Shape({kColumns, kInner})), b.Weights(Shape({kColumns}))},
                transposed);
  };
  const ValueId q = project(), k = project(), v = project();
  Graph graph = b.Build({Attend(b, q, k, v)});
  ExpectMerged(graph, {RandomTensor(Shape({kBatch * kRows, kInner}))}, 1);
}

TEST(MergeProjections, LeavesProductsThatOthersRead) {
  GraphBuilder b;
  const ValueId x = Rows(b, "x");
  const ValueId q = Project(b, x, false), k = Project(b, x, false), v = Project(b, x, false);
  Graph graph = b.Build({Attend(b, q, k, v), q, k});
  EXPECT_EQ(RunPass(MergeProjections, graph, SupportsEverything()), 0);
}

TEST(MergeProjections, LeavesWeightsThatOthersRead) {
  GraphBuilder b;
  const ValueId x = Rows(b, "x");
  const ValueId shared = b.Weights(Shape({kInner, kColumns}));
  const auto project = [&] { return b.Op("MatMul", {x, shared}); };
  const ValueId q = project(), k = project(), v = project();
  Graph graph = b.Build({Attend(b, q, k, v)});
  EXPECT_EQ(RunPass(MergeProjections, graph, SupportsEverything()), 0);
}

TEST(MergeProjections, LeavesOperandsThatDoNotKeepToTheirRows) {
  GraphBuilder b;
  const ValueId x = Rows(b, "x");
  const ValueId q = Project(b, x, false), k = Project(b, x, false), v = Project(b, x, false);
  const ValueId y = Attend(b, q, k, v);
  Attributes& attributes = b.graph().node(b.graph().value(y).producer).attributes;
  // Heads of the whole batch after each other, whatever the rows were.
  for (const char* operand : {"q", "k"}) {
    attributes.Set(operand,
                   std::vector<int64_t>{kRows * kColumns, kRows * kDepth, kDepth, int64_t{0}});
  }
  Graph graph = b.Build({y});
  EXPECT_EQ(RunPass(MergeProjections, graph, SupportsEverything()), 0);
}

TEST(MergeProjections, TakesNoAttentionFromADevice) {
  GraphBuilder b;
  const ValueId x = Rows(b, "x");
  Graph graph =
      b.Build({Attend(b, Project(b, x, false), Project(b, x, false), Project(b, x, false))});
  // It reads what products write as they are.
  const FakePassContext context = testing::DeviceFirst([](const Graph& g, const Node& node) {
    return node.op->name != "Attention" ||
           g.value(node.inputs[0]).type.shape.ToShape()[2] == kColumns;
  });
  EXPECT_EQ(RunPass(MergeProjections, graph, context), 0);
  EXPECT_EQ(CountOps(graph, "MatMul"), 3);
}

}  // namespace
}  // namespace inferd
