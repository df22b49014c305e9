#pragma once

#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "engine/ops/strided_attention.h"
#include "engine/passes/pack_sequences.h"
#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"
#include "tests/support/run_graph.h"

// Graphs of one row of tokens, run packed and alone: for tests of PackSequences.
namespace inferd::testing::packing {

constexpr int64_t kWidth = 8;
constexpr int64_t kShorter = 5;
constexpr int64_t kLonger = 8;

inline Attributes With(const std::string& name, Attributes::Value value) {
  Attributes attributes;
  attributes.Set(name, std::move(value));
  return attributes;
}

// A graph of one row of `length` tokens: what `add` makes of them is the output.
using Addition = std::function<ValueId(GraphBuilder& b, ValueId ids, ValueId mask, int64_t length)>;
inline Graph MakeGraph(const Addition& add, int64_t length) {
  GraphBuilder b;
  const ValueId ids = b.Input("ids", Shape({1, length}), DType::kInt64);
  const ValueId mask = b.Input("mask", Shape({1, length}), DType::kInt64);
  return b.Build({add(b, ids, mask, length)});
}

inline absl::StatusOr<Graph> Pack(const Addition& add, int64_t tokens, int64_t sequences) {
  const Graph shorter = MakeGraph(add, kShorter);
  const Graph longer = MakeGraph(add, kLonger);
  auto packed = PackSequences({&shorter, &longer, kShorter, kLonger}, tokens, sequences);
  if (!packed.ok()) return packed.status();
  return std::move(packed->graph);
}

inline ValueId Embedded(GraphBuilder& b, ValueId ids) {
  return b.Op("Gather", {b.Weights(Shape({10, kWidth})), ids});
}

// One row a position, the same for every length.
inline ValueId PositionRows(GraphBuilder& b, int64_t length) {
  std::vector<float> values(length * kWidth);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.03f * static_cast<float>(i % 61);
  return b.Constant<float>(Shape({1, length, kWidth}), std::move(values));
}

inline ValueId Linear(GraphBuilder& b, ValueId x) {
  return b.Op("MatMul", {x, b.Weights(Shape({kWidth, kWidth}))});
}

// The mask of a transformer's export: bools of [1,1,length,length], of which every row is the same.
inline ValueId MaskOfKeys(GraphBuilder& b, ValueId mask, int64_t length) {
  const ValueId bools = b.Op("Cast", {mask}, With("to", int64_t{9}));
  const ValueId row = b.Op(
      "Reshape", {bools, b.Constant<int64_t>(Shape({4}), std::vector<int64_t>{1, 1, 1, length})});
  // std::vector<bool> has no elements to view.
  Tensor all = Tensor::Allocate(DType::kBool, Shape({1, 1, length, length})).value();
  std::fill_n(all.mutable_data<bool>(), all.num_elements(), true);
  return b.Op("And", {b.graph().AddConstant("", all), row});
}

inline StridedAttention TwoHeads(int64_t length) {
  StridedAttention attention;
  attention.batch = 1;
  attention.heads = 2;
  attention.queries = attention.keys = length;
  attention.depth = attention.width = kWidth / 2;
  attention.q = HeadLayout::RowFirst(2, length, kWidth / 2);
  attention.k = attention.v = attention.y = attention.q;
  attention.scale = 0.5f;
  attention.output_shape = Shape({1, length, kWidth});
  return attention;
}

inline ValueId Attended(GraphBuilder& b, ValueId x, ValueId mask, int64_t length, bool causal) {
  StridedAttention attention = TwoHeads(length);
  attention.causal = causal;
  if (mask != kNoValue) attention.mask.query = length;
  return b.Op("Attention", {x, Linear(b, x), x, kNoValue, mask}, attention.ToAttributes(),
              "inferd");
}

// Token ids and a mask that hides every third token but the first.
inline std::vector<Tensor> RequestOf(int64_t length) {
  Tensor ids = Tensor::Allocate(DType::kInt64, Shape({1, length})).value();
  Tensor mask = Tensor::Allocate(DType::kInt64, Shape({1, length})).value();
  for (int64_t i = 0; i < length; ++i) {
    ids.mutable_data<int64_t>()[i] = (i * 7 + length) % 10;
    mask.mutable_data<int64_t>()[i] = i % 3 != 2;
  }
  return {ids, mask};
}

// Sequences of 3, 7 and 1 tokens in `tokens` places.
inline std::vector<Tensor> PackedInputs(const std::vector<int64_t>& lengths, int64_t tokens) {
  std::vector<Tensor> inputs;
  for (int i = 0; i < 3; ++i) {
    inputs.push_back(
        Tensor::Allocate(DType::kInt64, i < 2 ? Shape({1, tokens}) : Shape({tokens})).value());
    std::fill_n(inputs[i].mutable_data<int64_t>(), tokens, 0);
  }
  std::vector<int64_t> offsets = {0};
  for (int64_t length : lengths) {
    const std::vector<Tensor> request = RequestOf(length);
    for (int i = 0; i < 2; ++i) {
      std::copy_n(request[i].data<int64_t>(), length,
                  inputs[i].mutable_data<int64_t>() + offsets.back());
    }
    int64_t* positions = inputs[2].mutable_data<int64_t>() + offsets.back();
    std::iota(positions, positions + length, 0);
    offsets.push_back(offsets.back() + length);
  }
  inputs.push_back(Tensor::FromValues<int64_t>(Shape({static_cast<int64_t>(offsets.size())}),
                                               absl::Span<const int64_t>(offsets)));
  return inputs;
}

inline void ExpectSameAnswersPacked(const Addition& add) {
  const std::vector<int64_t> lengths = {3, 7, 1};
  constexpr int64_t kTokens = 16;
  const absl::StatusOr<Graph> packed = Pack(add, kTokens, 3);
  ASSERT_TRUE(packed.ok()) << packed.status();
  const Tensor together = RunPortable(*packed, PackedInputs(lengths, kTokens))[0];
  const int64_t width = together.num_elements() / kTokens;
  int64_t begin = 0;
  for (int64_t length : lengths) {
    const Tensor alone = RunPortable(MakeGraph(add, length), RequestOf(length))[0];
    const Tensor part =
        Tensor::View(together.dtype(), alone.shape(), together.data<float>() + begin * width);
    ExpectNear(part, alone, 1e-5f);
    begin += length;
  }
}

inline void ExpectRefusal(const Addition& add, const std::string& text) {
  const absl::StatusOr<Graph> packed = Pack(add, 16, 3);
  ASSERT_FALSE(packed.ok());
  EXPECT_EQ(packed.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(packed.status().message().find(text), absl::string_view::npos) << packed.status();
}

}  // namespace inferd::testing::packing
