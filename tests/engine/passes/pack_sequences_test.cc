#include "engine/passes/pack_sequences.h"

#include <numeric>

#include "gtest/gtest.h"
#include "tests/engine/passes/packing_case.h"

namespace inferd::testing::packing {
namespace {

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

// Positions counted over the tokens that are not 3, as RoBERTa has them.
ValueId CountedPositions(GraphBuilder& b, ValueId ids, int64_t axis, Attributes attributes = {}) {
  const ValueId counts =
      b.Op("Cast", {b.Op("Not", {b.Op("Equal", {ids, b.Constant<int64_t>(Shape(), {3})})})},
           With("to", int64_t{6}));
  const ValueId sums =
      b.Op("CumSum", {counts, b.Constant<int64_t>(Shape(), {axis})}, std::move(attributes));
  return b.Op("Cast", {b.Op("Mul", {sums, counts})}, With("to", int64_t{7}));
}

TEST(PackSequences, CountsPositionsWithinEachSequence) {
  for (const int64_t exclusive : {0, 1}) {
    ExpectSameAnswersPacked([=](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
      const ValueId at =
          CountedPositions(b, ids, exclusive == 0 ? 1 : -1, With("exclusive", exclusive));
      const ValueId types =
          b.Op("GatherElements",
               {b.Constant<int64_t>(Shape({1, 10}), {0, 1, 0, 1, 1, 1, 0, 0, 1, 0}), at},
               With("axis", int64_t{1}));
      const ValueId rows = b.Op("Add", {b.Op("Gather", {b.Weights(Shape({10, kWidth})), at}),
                                        b.Op("Gather", {b.Weights(Shape({2, kWidth})), types})});
      return b.Op("Add", {Embedded(b, ids), rows});
    });
  }
}

TEST(PackSequences, RefusesSumsFromTheEndOrOverSequences) {
  ExpectRefusal([](GraphBuilder& b, ValueId ids, ValueId,
                   int64_t) { return CountedPositions(b, ids, 1, With("reverse", int64_t{1})); },
                "CumSum");
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t) { return CountedPositions(b, ids, 0); },
      "CumSum");
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
}  // namespace inferd::testing::packing
