#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;

constexpr int64_t kBatch = 2, kRows = 4, kHeads = 2, kColumns = 6;

Attributes HeadsAnd(const std::string& name = "", Attributes::Value value = int64_t{0}) {
  Attributes attributes;
  attributes.Set("num_heads", int64_t{kHeads});
  if (!name.empty()) attributes.Set(name, std::move(value));
  return attributes;
}

Tensor KeyMask() { return Tensor::FromValues<int32_t>({kBatch, kRows}, {1, 1, 0, 0, 0, 1, 1, 1}); }

TEST(LowerAttention, WritesProjectionAndMask) {
  for (const bool causal : {false, true}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {kBatch, kRows, 5});
    const ValueId mask = b.Input("mask", {kBatch, kRows}, DType::kInt32);
    const ValueId y =
        b.Op("Attention", {x, b.Weights({5, 3 * kColumns}), b.Weights({3 * kColumns}), mask},
             HeadsAnd("unidirectional", int64_t{causal}), "com.microsoft");
    Graph graph = b.Build({y});
    ExpectSameAnswers(LowerAttention, graph, {RandomTensor({kBatch, kRows, 5}), KeyMask()}, 1);
    EXPECT_EQ(CountOps(graph, "MatMul"), 1);
    ExpectSameAnswers(FuseAttention, graph, {RandomTensor({kBatch, kRows, 5}), KeyMask()}, 1);
    EXPECT_EQ(CountOps(graph, "Split"), 0);
  }
}

TEST(LowerAttention, WritesGivenOperandsWithTheirBias) {
  GraphBuilder b;
  const ValueId q = b.Input("q", {kBatch, kRows, kColumns});
  const ValueId k = b.Input("k", {kBatch, kRows, kColumns});
  const ValueId v = b.Input("v", {kBatch, kRows, 2 * kHeads});
  const ValueId mask = b.Input("mask", {kBatch, kRows}, DType::kInt32);
  const ValueId added = b.Input("added", {1, kHeads, kRows, kRows});
  const ValueId y =
      b.Op("MultiHeadAttention", {q, k, v, b.Weights({2 * kColumns + 2 * kHeads}), mask, added},
           HeadsAnd("scale", 0.3f), "com.microsoft");
  Graph graph = b.Build({y});
  const std::vector<Tensor> inputs = {RandomTensor({kBatch, kRows, kColumns}, 1),
                                      RandomTensor({kBatch, kRows, kColumns}, 2),
                                      RandomTensor({kBatch, kRows, 2 * kHeads}, 3), KeyMask(),
                                      RandomTensor({1, kHeads, kRows, kRows}, 4)};
  ExpectSameAnswers(LowerAttention, graph, inputs, 1);
  ExpectSameAnswers(FuseAttention, graph, inputs, 1);
}

TEST(LowerAttention, LeavesOtherMasksAndPackedOperands) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch, kRows, 5});
  const ValueId ends = b.Input("ends", {kBatch}, DType::kInt32);
  const ValueId y =
      b.Op("Attention", {x, b.Weights({5, 3 * kColumns}), b.Weights({3 * kColumns}), ends},
           HeadsAnd(), "com.microsoft");
  const ValueId packed = b.Input("packed", {kBatch, kRows, kHeads, 3, 3});
  Graph graph = b.Build({y, b.Op("MultiHeadAttention", {packed}, HeadsAnd(), "com.microsoft")});
  ExpectSameAnswers(
      LowerAttention, graph,
      {RandomTensor({kBatch, kRows, 5}), Tensor::FromValues<int32_t>({kBatch}, {3, 4}),
       RandomTensor({kBatch, kRows, kHeads, 3, 3})},
      0);
}

}  // namespace
}  // namespace inferd
