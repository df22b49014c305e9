#include "engine/passes/padding_proof.h"

#include <functional>

#include "engine/ops/strided_attention.h"
#include "engine/passes/pack_sequences.h"
#include "gtest/gtest.h"
#include "tests/engine/passes/packing_case.h"
#include "tests/support/graph_builder.h"

namespace inferd {
namespace {

using testing::GraphBuilder;
using testing::packing::kWidth;
using testing::packing::TwoHeads;

constexpr int64_t kShorter = 5;
constexpr int64_t kLonger = 8;
constexpr int64_t kFloat = 1;
constexpr int64_t kBool = 9;
constexpr float kLowest = -3.4028235e38f;

// A graph of one row of `length` tokens; what it makes of them is the output.
struct Sequence {
  GraphBuilder& b;
  ValueId ids;
  ValueId mask;
  ValueId other;  // a second mask
  int64_t length;

  ValueId Axes(std::vector<int64_t> axes) const {
    const auto count = static_cast<int64_t>(axes.size());
    return b.Constant<int64_t>(Shape({count}), std::move(axes));
  }
  static Attributes With(const std::string& name, int64_t value) {
    Attributes attributes;
    attributes.Set(name, value);
    return attributes;
  }
  ValueId Embedded() const { return b.Op("Gather", {b.Weights(Shape({10, kWidth})), ids}); }
  ValueId Cast(ValueId x, int64_t type) const { return b.Op("Cast", {x}, With("to", type)); }
  ValueId First(ValueId x) const {
    return b.Op("Gather", {x, b.Constant<int64_t>(Shape(), {0})}, With("axis", 1));
  }
  ValueId Reduced(const std::string& op, ValueId x) const {
    return b.Op(op, {x, Axes({1})}, With("keepdims", 0));
  }
  // `by` as floats for each element of a token.
  ValueId Spread(ValueId by) const {
    return b.Op("Expand",
                {Cast(b.Op("Unsqueeze", {by, Axes({-1})}), kFloat), Axes({1, length, kWidth})});
  }
  ValueId MaskedSum(ValueId x, ValueId by) const {
    return Reduced("ReduceSum", b.Op("Mul", {x, Spread(by)}));
  }
  // (at - by) * factor for each key.
  ValueId Bias(ValueId by, float at, float factor) const {
    const ValueId row = b.Op("Reshape", {Cast(by, kFloat), Axes({1, 1, 1, length})});
    return b.Op("Mul", {b.Op("Sub", {b.Scalar(at), row}), b.Scalar(factor)});
  }
  ValueId Hides(ValueId by) const {
    return b.Op("Reshape", {Cast(by, kBool), Axes({1, 1, 1, length})});
  }
  ValueId Attended(ValueId x, ValueId bias, ValueId mask_of_keys, bool causal = false,
                   float hidden = kLowest) const {
    StridedAttention attention = TwoHeads(length);
    attention.causal = causal;
    attention.hidden = hidden;
    return b.Op("Attention", {x, x, x, bias, mask_of_keys}, attention.ToAttributes(), "inferd");
  }
};

using Addition = std::function<ValueId(const Sequence& s)>;

Graph MakeGraph(const Addition& add, int64_t length, DType mask_type) {
  GraphBuilder b;
  const ValueId ids = b.Input("ids", Shape({1, length}), DType::kInt64);
  const ValueId mask = b.Input("mask", Shape({1, length}), mask_type);
  const ValueId other = b.Input("other", Shape({1, length}), mask_type);
  return b.Build({add({b, ids, mask, other, length})});
}

absl::StatusOr<int> Find(const Addition& add, DType mask_type = DType::kInt64) {
  const Graph shorter = MakeGraph(add, kShorter, mask_type);
  const Graph longer = MakeGraph(add, kLonger, mask_type);
  const SequenceBindings bindings{&shorter, &longer, kShorter, kLonger};
  const absl::StatusOr<PackedSequences> packed = PackSequences(bindings, 16, 3);
  if (!packed.ok()) return packed.status();
  return FindPaddingMask(bindings, packed->forms);
}

void ExpectFound(const Addition& add, DType mask_type = DType::kInt64) {
  const absl::StatusOr<int> found = Find(add, mask_type);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, 1);
}

void ExpectRefusal(const Addition& add, const std::string& text) {
  const absl::StatusOr<int> found = Find(add);
  ASSERT_FALSE(found.ok()) << *found;
  EXPECT_EQ(found.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(found.status().message().find(text), absl::string_view::npos) << found.status();
}

TEST(FindPaddingMask, TakesABiasThatHidesKeysBeforeTheFirstToken) {
  for (const float factor : {kLowest, -10000.0f}) {
    for (const DType type : {DType::kInt64, DType::kInt32}) {
      ExpectFound(
          [=](const Sequence& s) {
            return s.First(s.Attended(s.Embedded(), s.Bias(s.mask, 1, factor), kNoValue));
          },
          type);
    }
  }
}

TEST(FindPaddingMask, TakesAMaskOfKeys) {
  ExpectFound([](const Sequence& s) {
    return s.First(s.Attended(s.Embedded(), kNoValue, s.Hides(s.mask)));
  });
}

TEST(FindPaddingMask, TakesAChoiceByTheMask) {
  ExpectFound([](const Sequence& s) {
    const ValueId bias = s.b.Op("Where", {s.Hides(s.mask), s.b.Scalar(0), s.b.Scalar(kLowest)});
    return s.First(s.Attended(s.Embedded(), bias, kNoValue));
  });
}

TEST(FindPaddingMask, TakesSumsOfWhatTheMaskMakesZero) {
  ExpectFound([](const Sequence& s) {
    const ValueId x = s.Attended(s.Embedded(), kNoValue, s.Hides(s.mask));
    const ValueId count = s.Reduced("ReduceSum", s.Spread(s.mask));
    return s.b.Op("Div", {s.MaskedSum(x, s.mask), count});
  });
}

TEST(FindPaddingMask, TakesMaximaOfWhatTheMaskMakesLow) {
  ExpectFound([](const Sequence& s) {
    const ValueId hidden = s.b.Op("Equal", {s.Spread(s.mask), s.b.Scalar(0)});
    const ValueId x = s.b.Op("Where", {hidden, s.b.Scalar(-1e9f), s.Embedded()});
    return s.Reduced("ReduceMax", x);
  });
}

TEST(FindPaddingMask, NeedsNoMaskWhereAttentionLooksBackOnly) {
  ExpectFound([](const Sequence& s) {
    return s.MaskedSum(s.Attended(s.Embedded(), kNoValue, kNoValue, true), s.mask);
  });
}

TEST(FindPaddingMask, NeedsNoMaskForRunningSums) {
  ExpectFound([](const Sequence& s) {
    const ValueId sums = s.b.Op("CumSum", {s.ids, s.b.Constant<int64_t>(Shape(), {1})});
    return s.MaskedSum(s.b.Op("Gather", {s.b.Weights(Shape({80, kWidth})), sums}), s.mask);
  });
}

TEST(FindPaddingMask, RefusesAttentionToAllTokens) {
  ExpectRefusal(
      [](const Sequence& s) {
        return s.MaskedSum(s.Attended(s.Embedded(), kNoValue, kNoValue), s.mask);
      },
      "Attention");
}

TEST(FindPaddingMask, RefusesABiasThatHidesTooLittleOrChangesWhatCounts) {
  const auto attend = [](float at, float factor) {
    return [=](const Sequence& s) {
      return s.First(s.Attended(s.Embedded(), s.Bias(s.mask, at, factor), kNoValue));
    };
  };
  ExpectRefusal(attend(1, -100), "Attention");
  ExpectRefusal(attend(2, -10000), "Attention");
  ExpectRefusal(attend(0, -10000), "Attention");
}

TEST(FindPaddingMask, RefusesAMaskThatHidesTheOnesOrLittle) {
  ExpectRefusal(
      [](const Sequence& s) {
        const ValueId mask = s.b.Op("Not", {s.Hides(s.mask)});
        return s.First(s.Attended(s.Embedded(), kNoValue, mask));
      },
      "Attention");
  ExpectRefusal(
      [](const Sequence& s) {
        return s.First(s.Attended(s.Embedded(), kNoValue, s.Hides(s.mask), false, -100));
      },
      "Attention");
}

TEST(FindPaddingMask, RefusesABiasOfTwoInputs) {
  ExpectRefusal(
      [](const Sequence& s) {
        const ValueId both = s.b.Op("Mul", {s.mask, s.other});
        return s.First(s.Attended(s.Embedded(), s.Bias(both, 1, -10000), kNoValue));
      },
      "Attention");
}

TEST(FindPaddingMask, RefusesABiasOfTheTokens) {
  ExpectRefusal(
      [](const Sequence& s) {
        const ValueId of_ids =
            s.b.Op("Cast", {s.b.Op("Mul", {s.ids, s.mask})}, Sequence::With("to", kBool));
        const ValueId keys = s.b.Op("Reshape", {of_ids, s.Axes({1, 1, 1, s.length})});
        return s.First(s.Attended(s.Embedded(), kNoValue, keys));
      },
      "Attention");
}

TEST(FindPaddingMask, RefusesTwoMasks) {
  ExpectRefusal(
      [](const Sequence& s) {
        const ValueId x = s.Attended(s.Embedded(), kNoValue, s.Hides(s.mask));
        return s.MaskedSum(x, s.other);
      },
      "ReduceSum");
}

TEST(FindPaddingMask, RefusesMeansSumsAndMaximaOfAllTokens) {
  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"}) {
    ExpectRefusal([=](const Sequence& s) { return s.Reduced(op, s.Embedded()); }, op);
  }
  // The mean of zeros and more falls with their number.
  ExpectRefusal(
      [](const Sequence& s) {
        return s.Reduced("ReduceMean", s.b.Op("Mul", {s.Embedded(), s.Spread(s.mask)}));
      },
      "ReduceMean");
  ExpectRefusal(
      [](const Sequence& s) {
        return s.Reduced("ReduceMax", s.b.Op("Mul", {s.Embedded(), s.Spread(s.mask)}));
      },
      "ReduceMax");
  ExpectRefusal(
      [](const Sequence& s) {
        return s.Reduced("ReduceSum", s.b.Op("Add", {s.Embedded(), s.Spread(s.mask)}));
      },
      "ReduceSum");
}

TEST(FindPaddingMask, RefusesTheLastToken) {
  ExpectRefusal(
      [](const Sequence& s) {
        const ValueId x = s.Attended(s.Embedded(), kNoValue, s.Hides(s.mask));
        return s.b.Op("Gather", {x, s.b.Constant<int64_t>(Shape(), {-1})},
                      Sequence::With("axis", 1));
      },
      "Gather");
}

TEST(FindPaddingMask, RefusesOutputsByTokenAndModelsWithoutAMask) {
  ExpectRefusal([](const Sequence& s) { return s.Embedded(); }, "each token");
  ExpectRefusal([](const Sequence& s) { return s.First(s.Embedded()); }, "no input hides");
}

TEST(FindPaddingMask, RefusesInputsOfFloats) {
  const absl::StatusOr<int> found = Find(
      [](const Sequence& s) {
        return s.First(s.b.Op("Mul", {s.mask, s.mask}));
      },
      DType::kFloat32);
  ASSERT_FALSE(found.ok());
  EXPECT_NE(found.status().message().find("integers"), absl::string_view::npos);
}

}  // namespace
}  // namespace inferd
