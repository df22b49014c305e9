#include "engine/passes/token_pooling.h"

#include "gtest/gtest.h"
#include "tests/engine/passes/packing_case.h"

namespace inferd::testing::packing {
namespace {

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

TEST(PoolingOf, TakesTheFirstOrLastTokenOfEachSequence) {
  for (const int64_t position : {0, -1}) {
    ExpectSameRowsPacked([=](GraphBuilder& b, ValueId ids, ValueId mask, int64_t length) {
      const ValueId x = b.Op("Add", {Embedded(b, ids), PositionRows(b, length)});
      const ValueId y = Attended(b, x, MaskOfKeys(b, mask, length), length, false);
      const ValueId pooled = b.Op("Tanh", {Linear(b, Taken(b, y, position))});
      return b.Op("Gemm", {pooled, b.Weights(Shape({kWidth, 3})), b.Weights(Shape({3}))});
    });
  }
}

TEST(PoolingOf, TakesASliceOfOneTokenAndItsViews) {
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

TEST(PoolingOf, TakesTheLastTokenByItsNumber) {
  ExpectSameRowsPacked([](GraphBuilder& b, ValueId ids, ValueId, int64_t length) {
    return Taken(b, Embedded(b, ids), length - 1);
  });
}

TEST(PoolingOf, ReducesTheTokensOfEachSequence) {
  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"}) {
    for (const int64_t keep : {0, 1}) {
      ExpectSameRowsPacked([=](GraphBuilder& b, ValueId ids, ValueId, int64_t length) {
        const ValueId x = b.Op("Sub", {Embedded(b, ids), PositionRows(b, length)});
        return Linear(b, Reduced(b, op, x, keep == 0 ? 1 : -2, keep));
      });
    }
  }
}

TEST(PoolingOf, TakesTheMeanOfTheTokensThatCount) {
  ExpectSameRowsPacked([](GraphBuilder& b, ValueId ids, ValueId mask, int64_t length) {
    return MaskedMean(b, Embedded(b, ids), mask, length);
  });
}

TEST(PoolingOf, CountsTokensInIntegers) {
  ExpectSameRowsPacked([](GraphBuilder& b, ValueId, ValueId mask, int64_t) {
    return b.Op("Cast", {Reduced(b, "ReduceSum", mask, 1, 1)}, With("to", int64_t{1}));
  });
}

TEST(PoolingOf, JoinsWhatIsMadeOfEachSequence) {
  ExpectSameRowsPacked([](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
    const ValueId x = Embedded(b, ids);
    return b.Op("Concat", {Taken(b, x, 0), Reduced(b, "ReduceMax", x, 1, 0)},
                With("axis", int64_t{-1}));
  });
}

TEST(PoolingOf, RefusesASumOverSequences) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
        return Reduced(b, "ReduceSum", Taken(b, Embedded(b, ids), 0), 0, 1);
      },
      "ReduceSum");
}

TEST(PoolingOf, RefusesASoftmaxOverSequences) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
        return b.Op("Softmax", {Taken(b, Embedded(b, ids), 0)}, With("axis", int64_t{0}));
      },
      "Softmax");
}

TEST(PoolingOf, RefusesASliceOfSequences) {
  ExpectRefusal([](GraphBuilder& b, ValueId ids, ValueId,
                   int64_t) { return Sliced(b, Taken(b, Embedded(b, ids), 0), 0, 1, 0); },
                "Slice");
}

TEST(PoolingOf, RefusesATokenThatShortSequencesHaveNot) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t) { return Taken(b, Embedded(b, ids), 1); },
      "Gather");
  ExpectRefusal([](GraphBuilder& b, ValueId ids, ValueId,
                   int64_t) { return Sliced(b, Embedded(b, ids), -2, -1, 1); },
                "Slice");
}

TEST(PoolingOf, RefusesAReductionOverTokensAndMore) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
        return b.Op("ReduceSum", {Embedded(b, ids), Axes(b, {1, 2})}, With("keepdims", int64_t{0}));
      },
      "ReduceSum");
}

TEST(PoolingOf, RefusesADivisionByTheLength) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t length) {
        return b.Op("Div", {Reduced(b, "ReduceSum", Embedded(b, ids), 1, 0),
                            b.Scalar(static_cast<float>(length))});
      },
      "Div");
}

TEST(PoolingOf, RefusesATokenLessItsMean) {
  ExpectRefusal(
      [](GraphBuilder& b, ValueId ids, ValueId, int64_t) {
        const ValueId x = Embedded(b, ids);
        return b.Op("Sub", {x, Reduced(b, "ReduceMean", x, 1, 1)});
      },
      "Sub");
}

}  // namespace
}  // namespace inferd::testing::packing
