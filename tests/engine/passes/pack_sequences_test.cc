#include "engine/passes/pack_sequences.h"

#include <functional>
#include <numeric>

#include "engine/ops/strided_attention.h"
#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"
#include "tests/support/run_graph.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectNear;
using testing::GraphBuilder;
using testing::RunPortable;

constexpr int64_t kWidth = 8;
constexpr int64_t kShorter = 5;
constexpr int64_t kLonger = 8;

Attributes With(const std::string& name, Attributes::Value value) {
  Attributes attributes;
  attributes.Set(name, std::move(value));
  return attributes;
}

// A graph of one row of `length` tokens: what `add` makes of them is the output.
using Addition = std::function<ValueId(GraphBuilder& b, ValueId ids, ValueId mask, int64_t length)>;
Graph MakeGraph(const Addition& add, int64_t length) {
  GraphBuilder b;
  const ValueId ids = b.Input("ids", Shape({1, length}), DType::kInt64);
  const ValueId mask = b.Input("mask", Shape({1, length}), DType::kInt64);
  return b.Build({add(b, ids, mask, length)});
}

absl::StatusOr<Graph> Pack(const Addition& add, int64_t tokens, int64_t sequences) {
  const Graph shorter = MakeGraph(add, kShorter);
  const Graph longer = MakeGraph(add, kLonger);
  auto packed = PackSequences({&shorter, &longer, kShorter, kLonger}, tokens, sequences);
  if (!packed.ok()) return packed.status();
  return std::move(packed->graph);
}

ValueId Embedded(GraphBuilder& b, ValueId ids) {
  return b.Op("Gather", {b.Weights(Shape({10, kWidth})), ids});
}

// One row a position, the same for every length.
ValueId PositionRows(GraphBuilder& b, int64_t length) {
  std::vector<float> values(length * kWidth);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.03f * static_cast<float>(i % 61);
  return b.Constant<float>(Shape({1, length, kWidth}), std::move(values));
}

ValueId Linear(GraphBuilder& b, ValueId x) {
  return b.Op("MatMul", {x, b.Weights(Shape({kWidth, kWidth}))});
}

// The mask of a transformer's export: bools of [1,1,length,length], of which every row is the same.
ValueId MaskOfKeys(GraphBuilder& b, ValueId mask, int64_t length) {
  const ValueId bools = b.Op("Cast", {mask}, With("to", int64_t{9}));
  const ValueId row = b.Op(
      "Reshape", {bools, b.Constant<int64_t>(Shape({4}), std::vector<int64_t>{1, 1, 1, length})});
  // std::vector<bool> has no elements to view.
  Tensor all = Tensor::Allocate(DType::kBool, Shape({1, 1, length, length})).value();
  std::fill_n(all.mutable_data<bool>(), all.num_elements(), true);
  return b.Op("And", {b.graph().AddConstant("", all), row});
}

StridedAttention TwoHeads(int64_t length) {
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

ValueId Attended(GraphBuilder& b, ValueId x, ValueId mask, int64_t length, bool causal) {
  StridedAttention attention = TwoHeads(length);
  attention.causal = causal;
  if (mask != kNoValue) attention.mask.query = length;
  return b.Op("Attention", {x, Linear(b, x), x, kNoValue, mask}, attention.ToAttributes(),
              "inferd");
}

// Token ids and a mask that hides every third token but the first.
std::vector<Tensor> RequestOf(int64_t length) {
  Tensor ids = Tensor::Allocate(DType::kInt64, Shape({1, length})).value();
  Tensor mask = Tensor::Allocate(DType::kInt64, Shape({1, length})).value();
  for (int64_t i = 0; i < length; ++i) {
    ids.mutable_data<int64_t>()[i] = (i * 7 + length) % 10;
    mask.mutable_data<int64_t>()[i] = i % 3 != 2;
  }
  return {ids, mask};
}

// Sequences of 3, 7 and 1 tokens in `tokens` places.
std::vector<Tensor> PackedInputs(const std::vector<int64_t>& lengths, int64_t tokens) {
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

void ExpectSameAnswersPacked(const Addition& add) {
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

// The same where each sequence has one row of the output. The last of five has no tokens.
void ExpectSameRowsPacked(const Addition& add) {
  const std::vector<int64_t> lengths = {3, 7, 1, 5};
  for (const int64_t tokens : {16, 24}) {
    const absl::StatusOr<Graph> packed = Pack(add, tokens, 5);
    ASSERT_TRUE(packed.ok()) << packed.status();
    std::vector<Tensor> inputs = PackedInputs(lengths, tokens);
    const int64_t end = inputs[3].data<int64_t>()[lengths.size()];
    inputs[3] = Tensor::FromValues<int64_t>(Shape({6}), {0, 3, 10, 11, end, end});
    const Tensor together = RunPortable(*packed, inputs)[0];
    ASSERT_EQ(together.dim(0), 5);
    const int64_t width = together.num_elements() / 5;
    for (size_t i = 0; i < lengths.size(); ++i) {
      const Tensor alone = RunPortable(MakeGraph(add, lengths[i]), RequestOf(lengths[i]))[0];
      const Tensor part = Tensor::View(together.dtype(), alone.shape(),
                                       together.data<float>() + static_cast<int64_t>(i) * width);
      ExpectNear(part, alone, 1e-5f);
    }
  }
}

ValueId Axes(GraphBuilder& b, std::vector<int64_t> axes) {
  const auto count = static_cast<int64_t>(axes.size());
  return b.Constant<int64_t>(Shape({count}), std::move(axes));
}

ValueId Reduced(GraphBuilder& b, const std::string& op, ValueId x, int64_t axis, int64_t keep) {
  return b.Op(op, {x, Axes(b, {axis})}, With("keepdims", keep));
}

ValueId Taken(GraphBuilder& b, ValueId x, int64_t position) {
  return b.Op("Gather", {x, b.Constant<int64_t>(Shape(), {position})}, With("axis", int64_t{1}));
}

ValueId Sliced(GraphBuilder& b, ValueId x, int64_t start, int64_t end, int64_t axis) {
  return b.Op("Slice", {x, Axes(b, {start}), Axes(b, {end}), Axes(b, {axis})});
}

// 1 for tokens that count, [1,length,kWidth].
ValueId SpreadMask(GraphBuilder& b, ValueId mask, int64_t length) {
  const ValueId column = b.Op("Unsqueeze", {mask, Axes(b, {-1})});
  const ValueId spread = b.Op("Expand", {column, Axes(b, {1, length, kWidth})});
  return b.Op("Cast", {spread}, With("to", int64_t{1}));
}

// As sentence embedders do: the mean of the tokens that count, normalized.
ValueId MaskedMean(GraphBuilder& b, ValueId x, ValueId mask, int64_t length) {
  const ValueId spread = SpreadMask(b, mask, length);
  const ValueId sum = Reduced(b, "ReduceSum", b.Op("Mul", {x, spread}), 1, 0);
  const ValueId count =
      b.Op("Clip", {Reduced(b, "ReduceSum", spread, 1, 0), b.Scalar(1e-9f), kNoValue});
  const ValueId mean = b.Op("Div", {sum, count});
  const ValueId norm = Reduced(b, "ReduceL2", mean, 1, 1);
  return b.Op("Div", {mean, b.Op("Expand", {norm, Axes(b, {1, kWidth})})});
}

void ExpectRefusal(const Addition& add, const std::string& text) {
  const absl::StatusOr<Graph> packed = Pack(add, 16, 3);
  ASSERT_FALSE(packed.ok());
  EXPECT_EQ(packed.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(packed.status().message().find(text), absl::string_view::npos) << packed.status();
}

TEST(PackSequences, KeepsRowWiseOperators) {
  ExpectSameAnswersPacked([](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
    const ValueId x = Linear(b, Embedded(b, ids));
    return b.Op("Softmax", {b.Op("Add", {x, Embedded(b, ids)})}, With("axis", int64_t{-1}));
  });
}

TEST(PackSequences, LooksUpWhatDependsOnThePosition) {
  ExpectSameAnswersPacked([](GraphBuilder& b, ValueId ids, ValueId, int64_t length) {
    return b.Op("Add", {PositionRows(b, length), Embedded(b, ids)});
  });
}

TEST(PackSequences, AddsWhatIsTheSameForAllPositionsInAnEpilogue) {
  ExpectSameAnswersPacked([](GraphBuilder& b, ValueId ids, ValueId, int64_t length) {
    std::vector<float> types(length * kWidth);
    for (size_t i = 0; i < types.size(); ++i) types[i] = static_cast<float>(i % kWidth);
    const ValueId table = b.Weights(Shape({10, kWidth}));
    const ValueId y = b.Op("Gather", {table, ids});
    Node& gather = b.graph().node(b.graph().value(y).producer);
    gather.first_epilogue_input = 2;
    gather.inputs.push_back(b.Constant<float>(Shape({1, length, kWidth}), std::move(types)));
    EpilogueStep add;
    add.op = &OpRegistry::Builtin().Get("", "Add");
    add.operand = 2;
    gather.epilogue.push_back(std::move(add));
    return y;
  });
}

TEST(PackSequences, LooksUpOneRowForAllPositions) {
  ExpectSameAnswersPacked([](GraphBuilder& b, ValueId ids, ValueId, int64_t length) {
    const ValueId types = b.Constant<int64_t>(Shape({1, length}), std::vector<int64_t>(length, 1));
    const ValueId rows = b.Op("Gather", {b.Weights(Shape({2, kWidth})), types});
    return b.Op("Add", {Embedded(b, ids), rows});
  });
}

TEST(PackSequences, ReshapesByTokens) {
  ExpectSameAnswersPacked([](GraphBuilder& b, ValueId ids, ValueId, int64_t length) {
    const ValueId heads = b.Op(
        "Reshape", {Embedded(b, ids), b.Constant<int64_t>(Shape({4}), {1, length, 2, kWidth / 2})});
    const ValueId soft = b.Op("Softmax", {heads}, With("axis", int64_t{-1}));
    const ValueId turned =
        b.Op("Transpose", {soft}, With("perm", std::vector<int64_t>{0, 1, 3, 2}));
    return b.Op("Reshape", {turned, b.Constant<int64_t>(Shape({3}), {1, length, kWidth})});
  });
}

TEST(PackSequences, AttendsWithinEachSequence) {
  for (bool causal : {false, true}) {
    ExpectSameAnswersPacked([=](GraphBuilder& b, ValueId ids, ValueId mask, int64_t length) {
      const ValueId x = b.Op("Add", {Embedded(b, ids), PositionRows(b, length)});
      return Linear(b, Attended(b, x, MaskOfKeys(b, mask, length), length, causal));
    });
  }
}

TEST(PackSequences, DropsAMaskThatHidesNothing) {
  const Addition add = [](GraphBuilder& b, ValueId ids, ValueId, int64_t length) {
    Tensor all = Tensor::Allocate(DType::kBool, Shape({1, 1, length, length})).value();
    std::fill_n(all.mutable_data<bool>(), all.num_elements(), true);
    return Attended(b, Embedded(b, ids), b.graph().AddConstant("", all), length, false);
  };
  ExpectSameAnswersPacked(add);
}

TEST(PackSequences, TakesAGatherOfAllTokensInOrderAsTheTokens) {
  ExpectSameAnswersPacked([](GraphBuilder& b, ValueId ids, ValueId mask, int64_t length) {
    std::vector<int64_t> order(length);
    std::iota(order.begin(), order.end(), 0);
    const ValueId flat =
        b.Op("Reshape", {mask, b.Constant<int64_t>(Shape({1}), std::vector<int64_t>{length})});
    const ValueId row =
        b.Op("Gather", {flat, b.Constant<int64_t>(Shape({1, length, 1}), std::move(order))});
    return b.Op("Mul", {Embedded(b, ids), b.Op("Cast", {row}, With("to", int64_t{1}))});
  });
}

TEST(PackSequences, MakesNoStepOfWhatDependsOnNothing) {
  const absl::StatusOr<Graph> packed =
      Pack([](GraphBuilder& b, ValueId ids, ValueId, int64_t) { return Embedded(b, ids); }, 16, 3);
  ASSERT_TRUE(packed.ok()) << packed.status();
  EXPECT_EQ(packed->num_nodes(), 1);
  EXPECT_EQ(CountOps(*packed, "Gather"), 1);
}

TEST(PackSequences, TakesTheFirstOrLastTokenOfEachSequence) {
  for (const int64_t position : {0, -1}) {
    ExpectSameRowsPacked([=](GraphBuilder& b, ValueId ids, ValueId mask, int64_t length) {
      const ValueId x = b.Op("Add", {Embedded(b, ids), PositionRows(b, length)});
      const ValueId y = Attended(b, x, MaskOfKeys(b, mask, length), length, false);
      const ValueId pooled = b.Op("Tanh", {Linear(b, Taken(b, y, position))});
      return b.Op("Gemm", {pooled, b.Weights(Shape({kWidth, 3})), b.Weights(Shape({3}))});
    });
  }
}

TEST(PackSequences, TakesASliceOfOneTokenAndItsViews) {
  for (const int64_t start : {0, -1}) {
    ExpectSameRowsPacked([=](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
      const ValueId token = Sliced(b, Embedded(b, ids), start, start == 0 ? 1 : 1000, 1);
      const ValueId row = b.Op("Squeeze", {token, Axes(b, {1})});
      const ValueId soft = b.Op("Softmax", {row}, With("axis", int64_t{-1}));
      const ValueId normal = b.Op("LayerNormalization", {b.Op("Unsqueeze", {soft, Axes(b, {1})}),
                                                         b.Weights(Shape({kWidth}))});
      return Linear(b, b.Op("Add", {normal, token}));
    });
  }
}

TEST(PackSequences, TakesTheLastTokenByItsNumber) {
  ExpectSameRowsPacked([](GraphBuilder& b, ValueId ids, ValueId, int64_t length) {
    return Taken(b, Embedded(b, ids), length - 1);
  });
}

TEST(PackSequences, ReducesTheTokensOfEachSequence) {
  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"}) {
    for (const int64_t keep : {0, 1}) {
      ExpectSameRowsPacked([=](GraphBuilder& b, ValueId ids, ValueId, int64_t length) {
        const ValueId x = b.Op("Sub", {Embedded(b, ids), PositionRows(b, length)});
        return Linear(b, Reduced(b, op, x, keep == 0 ? 1 : -2, keep));
      });
    }
  }
}

TEST(PackSequences, TakesTheMeanOfTheTokensThatCount) {
  ExpectSameRowsPacked([](GraphBuilder& b, ValueId ids, ValueId mask, int64_t length) {
    return MaskedMean(b, Embedded(b, ids), mask, length);
  });
}

TEST(PackSequences, CountsTokensInIntegers) {
  ExpectSameRowsPacked([](GraphBuilder& b, ValueId, ValueId mask, int64_t) {
    return b.Op("Cast", {Reduced(b, "ReduceSum", mask, 1, 1)}, With("to", int64_t{1}));
  });
}

TEST(PackSequences, JoinsWhatIsMadeOfEachSequence) {
  ExpectSameRowsPacked([](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
    const ValueId x = Embedded(b, ids);
    return b.Op("Concat", {Taken(b, x, 0), Reduced(b, "ReduceMax", x, 1, 0)},
                With("axis", int64_t{-1}));
  });
}

TEST(PackSequences, RefusesASumOverSequences) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
        return Reduced(b, "ReduceSum", Taken(b, Embedded(b, ids), 0), 0, 1);
      },
      "ReduceSum");
}

TEST(PackSequences, RefusesASoftmaxOverSequences) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
        return b.Op("Softmax", {Taken(b, Embedded(b, ids), 0)}, With("axis", int64_t{0}));
      },
      "Softmax");
}

TEST(PackSequences, RefusesASliceOfSequences) {
  ExpectRefusal([](GraphBuilder& b, ValueId ids, ValueId,
                   int64_t) { return Sliced(b, Taken(b, Embedded(b, ids), 0), 0, 1, 0); },
                "Slice");
}

TEST(PackSequences, RefusesATokenThatShortSequencesHaveNot) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t) { return Taken(b, Embedded(b, ids), 1); },
      "Gather");
  ExpectRefusal([](GraphBuilder& b, ValueId ids, ValueId,
                   int64_t) { return Sliced(b, Embedded(b, ids), -2, -1, 1); },
                "Slice");
}

TEST(PackSequences, RefusesAReductionOverTokensAndMore) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
        return b.Op("ReduceSum", {Embedded(b, ids), Axes(b, {1, 2})}, With("keepdims", int64_t{0}));
      },
      "ReduceSum");
}

TEST(PackSequences, RefusesADivisionByTheLength) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t length) {
        return b.Op("Div", {Reduced(b, "ReduceSum", Embedded(b, ids), 1, 0),
                            b.Scalar(static_cast<float>(length))});
      },
      "Div");
}

TEST(PackSequences, RefusesATokenLessItsMean) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
        const ValueId x = Embedded(b, ids);
        return b.Op("Sub", {x, Reduced(b, "ReduceMean", x, 1, 1)});
      },
      "Sub");
}

TEST(PackSequences, RefusesASoftmaxOverTheTokens) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
        return b.Op("Softmax", {Embedded(b, ids)}, With("axis", int64_t{1}));
      },
      "Softmax");
}

TEST(PackSequences, RefusesAProductOfTokensByTokens) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
        const ValueId x = Embedded(b, ids);
        const ValueId turned = b.Op("Transpose", {x}, With("perm", std::vector<int64_t>{0, 2, 1}));
        return b.Op("MatMul", {b.Op("MatMul", {x, turned}), x});
      },
      "MatMul");
}

TEST(PackSequences, RefusesTokensTakenInAnotherOrder) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t length) {
        std::vector<int64_t> order(length, 0);
        return b.Op("Gather",
                    {Embedded(b, ids), b.Constant<int64_t>(Shape({length}), std::move(order))},
                    With("axis", int64_t{1}));
      },
      "Gather");
}

TEST(PackSequences, RefusesAnOutputThatHasNoTokens) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t length) {
        return b.Op("Reshape",
                    {Embedded(b, ids),
                     b.Constant<int64_t>(Shape({2}), std::vector<int64_t>{length, kWidth})});
      },
      "output");
}

TEST(PackSequences, RefusesAConstantThatDependsOnPairsOfPositions) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t length) {
        std::vector<float> bias(length * length);
        for (size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(i % 3);
        StridedAttention attention = TwoHeads(length);
        attention.bias.query = length;
        const ValueId x = Embedded(b, ids);
        return b.Op("Attention",
                    {x, x, x, b.Constant<float>(Shape({length, length}), std::move(bias))},
                    attention.ToAttributes(), "inferd");
      },
      "Attention");
}

}  // namespace
}  // namespace inferd
