#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr int64_t kBatch = 2, kRows = 5, kHeads = 3, kDepth = 4;
constexpr int64_t kColumns = kHeads * kDepth;

// Writes attentions as exporters do, over bound shapes.
class AttentionBuilder : public GraphBuilder {
 public:
  Attributes Perm(std::vector<int64_t> perm) {
    Attributes attributes;
    attributes.Set("perm", std::move(perm));
    return attributes;
  }
  Attributes Axis(int64_t axis) {
    Attributes attributes;
    attributes.Set("axis", axis);
    return attributes;
  }
  ValueId Ints(std::vector<int64_t> values) {
    const Shape shape({static_cast<int64_t>(values.size())});
    return Constant<int64_t>(shape, std::move(values));
  }
  ValueId Reshape(ValueId x, std::vector<int64_t> shape) {
    return Op("Reshape", {x, Ints(std::move(shape))});
  }
  ValueId Rows(const std::string& name) { return Input(name, {kBatch, kRows, kColumns}); }
  // [batch, heads, rows, depth]
  ValueId SplitHeads(ValueId rows, int64_t heads = kHeads) {
    return Op("Transpose", {Reshape(rows, {kBatch, kRows, heads, kDepth})}, Perm({0, 2, 1, 3}));
  }
  ValueId Scores(ValueId q, ValueId k) {
    return Op("MatMul", {q, Op("Transpose", {k}, Perm({0, 1, 3, 2}))});
  }
  ValueId Softmax(ValueId scores) { return Op("Softmax", {scores}, Axis(-1)); }
  ValueId JoinHeads(ValueId y) {
    return Reshape(Op("Transpose", {y}, Perm({0, 2, 1, 3})), {kBatch, kRows, kColumns});
  }
  // The whole of it behind the scores.
  ValueId Finish(ValueId scores, ValueId v) {
    return JoinHeads(Op("MatMul", {Softmax(scores), v}));
  }
};

std::vector<Tensor> ThreeInputs() {
  return {RandomTensor({kBatch, kRows, kColumns}, 1), RandomTensor({kBatch, kRows, kColumns}, 2),
          RandomTensor({kBatch, kRows, kColumns}, 3)};
}

// One attention fused, nothing but it left, the same answers.
void ExpectOneNode(AttentionBuilder& b, ValueId y, const std::vector<Tensor>& inputs) {
  Graph graph = b.Build({y});
  ExpectSameAnswers(FuseAttention, graph, inputs, 1);
  EXPECT_EQ(graph.num_nodes(), 1) << graph.ToString();
  EXPECT_EQ(CountOps(graph, "Attention"), 1);
}

TEST(FuseAttention, TakesScaledScores) {
  for (const bool divides : {false, true}) {
    AttentionBuilder b;
    const ValueId q = b.SplitHeads(b.Rows("q"));
    const ValueId k = b.SplitHeads(b.Rows("k"));
    const ValueId v = b.SplitHeads(b.Rows("v"));
    const ValueId scores = b.Scores(q, k);
    const ValueId scaled =
        divides ? b.Op("Div", {scores, b.Scalar(2.0f)}) : b.Op("Mul", {b.Scalar(0.5f), scores});
    ExpectOneNode(b, b.Finish(scaled, v), ThreeInputs());
  }
}

TEST(FuseAttention, TakesScaledOperandsAndKeysTransposedAtOnce) {
  AttentionBuilder b;
  const ValueId q = b.Op("Mul", {b.SplitHeads(b.Rows("q")), b.Scalar(0.7f)});
  const ValueId split = b.Reshape(b.Rows("k"), {kBatch, kRows, kHeads, kDepth});
  const ValueId k = b.Op("Mul", {b.Op("Transpose", {split}, b.Perm({0, 2, 3, 1})), b.Scalar(0.7f)});
  const ValueId v = b.SplitHeads(b.Rows("v"));
  ExpectOneNode(b, b.Finish(b.Op("MatMul", {q, k}), v), ThreeInputs());
}

TEST(FuseAttention, TakesKeysThatDynamoTransposesOverJoinedHeads) {
  AttentionBuilder b;
  const ValueId q = b.SplitHeads(b.Rows("q"));
  const ValueId k = b.Reshape(b.SplitHeads(b.Rows("k")), {-1, kRows, kDepth});
  const ValueId turned =
      b.Reshape(b.Op("Transpose", {k}, b.Perm({0, 2, 1})), {kBatch, kHeads, kDepth, kRows});
  const ValueId v = b.SplitHeads(b.Rows("v"));
  ExpectOneNode(b, b.Finish(b.Op("MatMul", {q, turned}), v), ThreeInputs());
}

TEST(FuseAttention, TakesBatchAndHeadsAsOneDimension) {
  AttentionBuilder b;
  const auto joined = [&](const char* name) {
    return b.Reshape(b.SplitHeads(b.Rows(name)), {kBatch * kHeads, kRows, kDepth});
  };
  const ValueId q = joined("q"), k = joined("k"), v = joined("v");
  const ValueId bias = b.Input("bias", {kBatch, 1, 1, kRows});
  ValueId scores = b.Op("MatMul", {q, b.Op("Transpose", {k}, b.Perm({0, 2, 1}))});
  scores = b.Op("Add", {b.Reshape(scores, {kBatch, kHeads, kRows, kRows}), bias});
  scores = b.Reshape(scores, {kBatch * kHeads, kRows, kRows});
  const ValueId y =
      b.Reshape(b.Op("MatMul", {b.Softmax(scores), v}), {kBatch, kHeads, kRows, kDepth});
  std::vector<Tensor> inputs = ThreeInputs();
  inputs.push_back(RandomTensor({kBatch, 1, 1, kRows}, 4));
  ExpectOneNode(b, b.JoinHeads(y), inputs);
}

TEST(FuseAttention, ReadsMergedRowsThroughSplit) {
  AttentionBuilder b;
  const ValueId merged = b.Input("x", {kBatch * kRows, 3 * kColumns});
  const ValueId rows = b.Reshape(merged, {kBatch, kRows, 3 * kColumns});
  Node split;
  split.op = &OpRegistry::Builtin().Get("", "Split");
  split.inputs = {rows, b.Ints({kColumns, kColumns, kColumns})};
  split.attributes.Set("axis", int64_t{2});
  for (int i = 0; i < 3; ++i) split.outputs.push_back(b.graph().AddValue(""));
  const std::vector<ValueId> parts = split.outputs;
  ASSERT_TRUE(InferNode(b.graph(), b.graph().AddNode(std::move(split))).ok());
  const ValueId scores = b.Scores(b.SplitHeads(parts[0]), b.SplitHeads(parts[1]));
  ExpectOneNode(b, b.Finish(scores, b.SplitHeads(parts[2])),
                {RandomTensor({kBatch * kRows, 3 * kColumns})});
}

TEST(FuseAttention, ReadsMergedRowsThroughTransposeAndGather) {
  AttentionBuilder b;
  const ValueId rows =
      b.Reshape(b.Input("x", {kBatch, kRows, 3 * kColumns}), {kBatch, kRows, 3, kHeads, kDepth});
  const ValueId turned = b.Op("Transpose", {rows}, b.Perm({2, 0, 3, 1, 4}));
  const auto part = [&](int64_t i) {
    return b.Op("Gather", {turned, b.Constant<int64_t>(Shape(), {i})}, b.Axis(0));
  };
  const ValueId q = part(0), k = part(1), v = part(2);
  ExpectOneNode(b, b.Finish(b.Scores(q, k), v), {RandomTensor({kBatch, kRows, 3 * kColumns})});
}

TEST(FuseAttention, ReadsKeysThatGroupsOfHeadsShare) {
  AttentionBuilder b;
  constexpr int64_t kGroup = 2;
  const ValueId q = b.SplitHeads(b.Input("q", {kBatch, kRows, kGroup * kColumns}), kGroup * kHeads);
  const auto repeated = [&](const char* name) {
    const ValueId heads = b.Op("Unsqueeze", {b.SplitHeads(b.Rows(name)), b.Ints({2})});
    const ValueId wide = b.Op("Expand", {heads, b.Ints({kBatch, kHeads, kGroup, kRows, kDepth})});
    return b.Reshape(wide, {kBatch, kGroup * kHeads, kRows, kDepth});
  };
  const ValueId k = repeated("k"), v = repeated("v");
  const ValueId y =
      b.Op("Transpose", {b.Op("MatMul", {b.Softmax(b.Scores(q, k)), v})}, b.Perm({0, 2, 1, 3}));
  std::vector<Tensor> inputs = ThreeInputs();
  inputs[0] = RandomTensor({kBatch, kRows, kGroup * kColumns});
  ExpectOneNode(b, b.Reshape(y, {kBatch, kRows, kGroup * kColumns}), inputs);
}

TEST(FuseAttention, AddsSeveralBiasesInAnyOrderOfOperands) {
  AttentionBuilder b;
  const ValueId q = b.SplitHeads(b.Rows("q"));
  const ValueId k = b.SplitHeads(b.Rows("k"));
  const ValueId v = b.SplitHeads(b.Rows("v"));
  const ValueId padding = b.Input("padding", {kBatch, 1, 1, kRows});
  const ValueId relative = b.Input("relative", {1, kHeads, kRows, kRows});
  const ValueId scores = b.Op("Add", {padding, b.Op("Add", {b.Scores(q, k), relative})});
  Graph graph = b.Build({b.Finish(scores, v)});
  std::vector<Tensor> inputs = ThreeInputs();
  inputs.push_back(RandomTensor({kBatch, 1, 1, kRows}, 4));
  inputs.push_back(RandomTensor({1, kHeads, kRows, kRows}, 5));
  ExpectSameAnswers(FuseAttention, graph, inputs, 1);
  EXPECT_EQ(graph.num_nodes(), 2);
}

// Everything from query 3 on is hidden where `hidden` says so; else only later keys.
ValueId LowerTriangle(AttentionBuilder& b, float hidden) {
  std::vector<float> values;
  for (int64_t i = 0; i < kRows * kRows; ++i) {
    values.push_back(i % kRows > i / kRows ? hidden : 0.0f);
  }
  return b.Constant<float>(Shape({1, 1, kRows, kRows}), std::move(values));
}

TEST(FuseAttention, AddsBiasesOverWindowsThatAreDividedOtherwise) {
  // Two images of four windows, or one of eight, as Swin has them: a bias for each head, and one
  // for each window of an image.
  constexpr int64_t kWindows = 8;
  for (const int64_t images : {1, 2}) {
    AttentionBuilder b;
    const auto heads = [&](const char* name) {
      const ValueId rows = b.Input(name, {kWindows, kRows, kColumns});
      const ValueId split = b.Reshape(rows, {kWindows, kRows, kHeads, kDepth});
      return b.Op("Transpose", {split}, b.Perm({0, 2, 1, 3}));
    };
    const ValueId q = heads("q"), k = heads("k"), v = heads("v");
    const ValueId relative = b.Input("relative", {1, kHeads, kRows, kRows});
    const ValueId shift = b.Input("shift", {1, kWindows / images, 1, kRows, kRows});
    ValueId scores = b.Op("Add", {b.Scores(q, k), relative});
    scores = b.Reshape(scores, {images, kWindows / images, kHeads, kRows, kRows});
    scores = b.Reshape(b.Op("Add", {scores, shift}), {kWindows, kHeads, kRows, kRows});
    const ValueId y = b.Op("MatMul", {b.Softmax(scores), v});
    Graph graph = b.Build({b.Op("Transpose", {y}, b.Perm({0, 2, 1, 3}))});
    std::vector<Tensor> inputs;
    for (int i = 0; i < 3; ++i) inputs.push_back(RandomTensor({kWindows, kRows, kColumns}, i));
    inputs.push_back(RandomTensor({1, kHeads, kRows, kRows}, 4));
    inputs.push_back(RandomTensor({1, kWindows / images, 1, kRows, kRows}, 5));
    ExpectSameAnswers(FuseAttention, graph, inputs, 1);
    EXPECT_EQ(CountOps(graph, "Softmax"), 0);
  }
}

TEST(FuseAttention, AddsBiasesThatAreTheSameForAllKeys) {
  AttentionBuilder b;
  const ValueId q = b.SplitHeads(b.Rows("q"));
  const ValueId k = b.SplitHeads(b.Rows("k"));
  const ValueId v = b.SplitHeads(b.Rows("v"));
  ValueId scores = b.Op("Add", {b.Scores(q, k), b.Input("one", {1})});
  scores = b.Op("Add", {scores, b.Input("by_query", {kRows, 1})});
  Graph graph = b.Build({b.Finish(scores, v)});
  std::vector<Tensor> inputs = ThreeInputs();
  inputs.push_back(RandomTensor({1}, 4));
  inputs.push_back(RandomTensor({kRows, 1}, 5));
  ExpectSameAnswers(FuseAttention, graph, inputs, 1);
}

TEST(FuseAttention, AddsABiasBesideAConstantTriangle) {
  AttentionBuilder b;
  const ValueId q = b.SplitHeads(b.Rows("q"));
  const ValueId k = b.SplitHeads(b.Rows("k"));
  const ValueId v = b.SplitHeads(b.Rows("v"));
  // The bias is one of [heads, rows, rows] in other shape.
  const ValueId relative =
      b.Op("Transpose", {b.Input("relative", {kRows, kHeads, kRows})}, b.Perm({1, 0, 2}));
  const ValueId scores =
      b.Op("Add", {b.Op("Add", {b.Scores(q, k), LowerTriangle(b, -kInf)}), relative});
  Graph graph = b.Build({b.Finish(scores, v)});
  std::vector<Tensor> inputs = ThreeInputs();
  inputs.push_back(RandomTensor({kRows, kHeads, kRows}, 4));
  ExpectSameAnswers(FuseAttention, graph, inputs, 1);
  EXPECT_EQ(CountOps(graph, "Softmax"), 0);
}

TEST(FuseAttention, KnowsAConstantLowerTriangle) {
  AttentionBuilder b;
  const ValueId q = b.SplitHeads(b.Rows("q"));
  const ValueId k = b.SplitHeads(b.Rows("k"));
  const ValueId v = b.SplitHeads(b.Rows("v"));
  const ValueId scores = b.Op("Add", {b.Scores(q, k), LowerTriangle(b, -3.4e38f)});
  Graph graph = b.Build({b.Finish(scores, v)});
  ExpectSameAnswers(FuseAttention, graph, ThreeInputs(), 1);
  ASSERT_EQ(graph.num_nodes(), 1);
  EXPECT_EQ(graph.node(0).inputs.size(), 3u);
  EXPECT_EQ(graph.node(0).attributes.Int("first_position", -1), 0);
}

TEST(FuseAttention, KeepsATriangleOfFiniteNumbersBesidePadding) {
  for (const float hidden : {-std::numeric_limits<float>::max(), -kInf}) {
    AttentionBuilder b;
    const ValueId q = b.SplitHeads(b.Rows("q"));
    const ValueId k = b.SplitHeads(b.Rows("k"));
    const ValueId v = b.SplitHeads(b.Rows("v"));
    const ValueId padding = b.Input("padding", {kBatch, 1, 1, kRows});
    const ValueId masked = b.Op("Add", {b.Scores(q, k), LowerTriangle(b, hidden)});
    Graph graph = b.Build({b.Finish(b.Op("Add", {masked, padding}), v)});
    std::vector<Tensor> inputs = ThreeInputs();
    inputs.push_back(Tensor::FromValues<float>({kBatch, 1, 1, kRows},
                                               {-1e9f, -1e9f, 0, 0, 0, 0, 0, 0, -1e9f, -1e9f}));
    ExpectSameAnswers(FuseAttention, graph, inputs, 1);
    EXPECT_EQ(CountOps(graph, "Add"), std::isinf(hidden) ? 0 : 1);
  }
}

TEST(FuseAttention, ReplacesScoresWhereAMaskHidesThem) {
  for (const bool hides : {false, true}) {
    AttentionBuilder b;
    const ValueId q = b.SplitHeads(b.Rows("q"));
    const ValueId k = b.SplitHeads(b.Rows("k"));
    const ValueId v = b.SplitHeads(b.Rows("v"));
    const ValueId mask = b.Op("Expand", {b.Input("mask", {kBatch, 1, 1, kRows}, DType::kBool),
                                         b.Ints({kBatch, kHeads, kRows, kRows})});
    const ValueId scores = b.Scores(q, k);
    const ValueId low = b.Scalar(-1e4f);
    const ValueId masked = b.Op("Where", {mask, hides ? low : scores, hides ? scores : low});
    std::vector<Tensor> inputs = ThreeInputs();
    inputs.push_back(Tensor::FromValues<bool>({kBatch, 1, 1, kRows},
                                              {1, 0, 0, 1, 0, hides, hides, hides, hides, hides}));
    ExpectOneNode(b, b.Finish(masked, v), inputs);
  }
}

TEST(FuseAttention, TakesTheGuardAgainstRowsThatSeeNothing) {
  AttentionBuilder b;
  const ValueId q = b.SplitHeads(b.Rows("q"));
  const ValueId k = b.SplitHeads(b.Rows("k"));
  const ValueId v = b.SplitHeads(b.Rows("v"));
  const ValueId bias = b.Input("bias", {kBatch, 1, 1, kRows});
  const ValueId p = b.Softmax(b.Op("Add", {b.Scores(q, k), bias}));
  const ValueId guarded = b.Op("Where", {b.Op("IsNaN", {p}), b.Scalar(0.0f), p});
  std::vector<Tensor> inputs = ThreeInputs();
  inputs.push_back(Tensor::FromValues<float>(
      {kBatch, 1, 1, kRows}, {0, -kInf, 0, 0, 0, -kInf, -kInf, -kInf, -kInf, -kInf}));
  ExpectOneNode(b, b.JoinHeads(b.Op("MatMul", {guarded, v})), inputs);
}

Attributes OperatorAttributes(bool causal, int64_t kv_heads = kHeads) {
  Attributes attributes;
  attributes.Set("q_num_heads", int64_t{kHeads});
  attributes.Set("kv_num_heads", kv_heads);
  attributes.Set("is_causal", int64_t{causal});
  return attributes;
}

TEST(FuseAttention, TakesTheOperatorOfFlatRows) {
  for (const bool causal : {false, true}) {
    AttentionBuilder b;
    const ValueId k = b.Input("k", {kBatch, kRows, kDepth});
    const ValueId v = b.Input("v", {kBatch, kRows, kDepth});
    const ValueId y = b.Op("Attention", {b.Rows("q"), k, v}, OperatorAttributes(causal, 1));
    ExpectOneNode(
        b, y,
        {RandomTensor({kBatch, kRows, kDepth}, 1), RandomTensor({kBatch, kRows, kDepth}, 2),
         RandomTensor({kBatch, kRows, kColumns}, 3)});
  }
}

TEST(FuseAttention, TakesTheOperatorWithTheNodesThatSplitAndJoinItsHeads) {
  for (const DType dtype : {DType::kBool, DType::kFloat32}) {
    AttentionBuilder b;
    const ValueId q = b.SplitHeads(b.Rows("q"));
    const ValueId k = b.SplitHeads(b.Rows("k"));
    const ValueId v = b.SplitHeads(b.Rows("v"));
    const ValueId mask = b.Input("mask", {kBatch, 1, 1, kRows}, dtype);
    std::vector<Tensor> inputs = ThreeInputs();
    if (dtype == DType::kBool) {
      inputs.push_back(
          Tensor::FromValues<bool>({kBatch, 1, 1, kRows}, {1, 0, 1, 1, 0, 0, 0, 0, 0, 0}));
    } else {
      inputs.push_back(RandomTensor({kBatch, 1, 1, kRows}, 4));
    }
    ExpectOneNode(b, b.JoinHeads(b.Op("Attention", {q, k, v, mask})), inputs);
  }
}

TEST(FuseAttention, LeavesAnOperatorThatDoesMore) {
  AttentionBuilder b;
  Attributes attributes = OperatorAttributes(false);
  attributes.Set("softcap", 2.0f);
  Graph graph = b.Build({b.Op("Attention", {b.Rows("q"), b.Rows("k"), b.Rows("v")}, attributes)});
  ExpectSameAnswers(FuseAttention, graph, ThreeInputs(), 0);
}

TEST(FuseAttention, LeavesProbabilitiesThatOthersRead) {
  AttentionBuilder b;
  const ValueId q = b.SplitHeads(b.Rows("q"));
  const ValueId k = b.SplitHeads(b.Rows("k"));
  const ValueId v = b.SplitHeads(b.Rows("v"));
  const ValueId p = b.Softmax(b.Scores(q, k));
  Graph graph = b.Build({b.JoinHeads(b.Op("MatMul", {p, v})), p});
  ExpectSameAnswers(FuseAttention, graph, ThreeInputs(), 0);
}

TEST(FuseAttention, LeavesAScaleBehindTheMaskAndASoftmaxOverQueries) {
  AttentionBuilder b;
  const ValueId q = b.SplitHeads(b.Rows("q"));
  const ValueId k = b.SplitHeads(b.Rows("k"));
  const ValueId v = b.SplitHeads(b.Rows("v"));
  const ValueId masked = b.Op("Add", {b.Scores(q, k), LowerTriangle(b, -1e9f)});
  const ValueId first = b.Finish(b.Op("Mul", {masked, b.Scalar(0.5f)}), v);
  const ValueId p = b.Op("Softmax", {b.Scores(q, k)}, b.Axis(2));
  Graph graph = b.Build({first, b.JoinHeads(b.Op("MatMul", {p, v}))});
  ExpectSameAnswers(FuseAttention, graph, ThreeInputs(), 0);
}

}  // namespace
}  // namespace inferd
