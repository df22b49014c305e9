#include <cmath>
#include <limits>
#include <vector>

#include "engine/ops/strided_attention.h"
#include "engine/providers/cpu/simd/attention_f32.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// Q, K, V and Y as [batch, rows, heads * columns].
StridedAttention Rows(int64_t batch, int64_t heads, int64_t group, int64_t queries, int64_t keys,
                      int64_t depth, int64_t width) {
  StridedAttention a;
  a.batch = batch;
  a.heads = heads;
  a.group = group;
  a.queries = queries;
  a.keys = keys;
  a.depth = depth;
  a.width = width;
  a.q = HeadLayout::RowFirst(heads, queries, depth);
  a.k = HeadLayout::RowFirst(heads / group, keys, depth);
  a.v = HeadLayout::RowFirst(heads / group, keys, width);
  a.y = HeadLayout::RowFirst(heads, queries, width);
  a.scale = 0.4f;
  a.output_shape = Shape({batch, queries, heads * width});
  return a;
}

KernelCase Case(const StridedAttention& a, Tensor bias = Tensor(), Tensor mask = Tensor()) {
  const int64_t kv_heads = a.heads / a.group;
  KernelCase test{
      .op = "Attention",
      .inputs = {Activation(RandomFloats({a.batch, a.queries, a.heads * a.depth})),
                 Activation(RandomFloats({a.batch, a.keys, kv_heads * a.depth}, -2, 2, 2)),
                 Activation(RandomFloats({a.batch, a.keys, kv_heads * a.width}, -2, 2, 3)),
                 Activation(std::move(bias)), Activation(std::move(mask))},
      .domain = "inferd"};
  test.attributes = a.ToAttributes();
  return test;
}

// A matrix of zeros and `hidden`; an element is hidden where `hides` says so.
template <typename Hides>
Tensor Bias(const Shape& shape, float hidden, const Hides& hides) {
  Tensor bias = Tensor::Allocate(DType::kFloat32, shape).value();
  for (int64_t i = 0; i < bias.num_elements(); ++i) {
    bias.mutable_data<float>()[i] = hides(i) ? hidden : 0.25f * static_cast<float>(i % 5);
  }
  return bias;
}

template <typename Value>
Tensor Mask(const Shape& shape, const Value& value) {
  Tensor mask = Tensor::Allocate(DType::kBool, shape).value();
  for (int64_t i = 0; i < mask.num_elements(); ++i) mask.mutable_data<bool>()[i] = value(i);
  return mask;
}

TEST(AttentionKernels, EveryNumberOfQueriesAndKeys) {
  for (int64_t queries = 1; queries < 60; queries += queries < 28 ? 1 : 7) {
    for (const int64_t keys : {1, 2, 15, 16, 31, 33, 64, 70, 257, 530}) {
      ExpectAgrees(Case(Rows(1, 2, 1, queries, keys, 8, 8)));
    }
  }
}

TEST(AttentionKernels, OddHeadSizes) {
  for (const int64_t depth : {1, 3, 16, 17, 40, 64}) {
    for (const int64_t width : {1, 5, 16, 31, 33, 64, 80, 129}) {
      ExpectAgrees(Case(Rows(2, 3, 1, 9, 37, depth, width)), 1e-5, 1e-5);
    }
  }
}

TEST(AttentionKernels, TakesNoOperandOfItsEpilogueForABiasOrMask) {
  const StridedAttention a = Rows(2, 3, 1, 9, 37, 16, 16);
  for (const int given : {3, 4}) {
    KernelCase test = Case(a, RandomFloats({37}));
    test.inputs.resize(given);
    test.epilogue = {{"Mul", {}, RandomFloats({2, 9, 1})}, {"Add", {}, RandomFloats({2, 9, 48})}};
    ExpectAgrees(test);
  }
}

TEST(AttentionKernels, GroupsOfHeadsShareKeys) {
  ExpectAgrees(Case(Rows(2, 6, 2, 5, 19, 16, 16)));
  ExpectAgrees(Case(Rows(1, 4, 4, 30, 50, 24, 16)));
}

TEST(AttentionKernels, OperandsInsideMergedRows) {
  StridedAttention a = Rows(2, 3, 1, 50, 50, 16, 16);
  const int64_t row = 3 * 3 * 16;
  for (HeadLayout* layout : {&a.q, &a.k, &a.v}) *layout = {50 * row, 16, row, 0};
  a.k.offset = row / 3;
  a.v.offset = 2 * row / 3;
  const Tensor merged = RandomFloats({2, 50, row});
  KernelCase test = Case(a);
  for (int i = 0; i < 3; ++i) test.inputs[i] = Activation(merged);
  ExpectAgrees(test);
}

TEST(AttentionKernels, HeadsBeforeRows) {
  StridedAttention a = Rows(2, 3, 1, 26, 40, 16, 8);
  a.q = HeadLayout::HeadFirst(3, 26, 16);
  a.v = HeadLayout::HeadFirst(3, 40, 8);
  a.y = HeadLayout::HeadFirst(3, 26, 8);
  ExpectAgrees(Case(a));
}

TEST(AttentionKernels, CausalOfAnyFirstPosition) {
  for (const int64_t first_position : {0, 1, 13, 300}) {
    for (const int64_t keys : {1, 30, 61, 300}) {
      StridedAttention a = Rows(1, 2, 1, 61, keys, 8, 8);
      a.causal = true;
      a.first_position = first_position;
      ExpectAgrees(Case(a));
    }
  }
}

TEST(AttentionKernels, BiasesOfEveryBroadcast) {
  StridedAttention a = Rows(2, 3, 1, 27, 45, 8, 8);
  for (const int64_t batch : {1, 2}) {
    for (const int64_t heads : {1, 3}) {
      for (const int64_t queries : {1, 27}) {
        a.bias = {batch == 1 ? 0 : heads * queries * 45, heads == 1 ? 0 : queries * 45,
                  queries == 1 ? 0 : 45};
        a.mask = a.bias;
        const Shape shape({batch, heads, queries, 45});
        ExpectAgrees(Case(a, RandomFloats(shape)));
        const Tensor mask = Mask(shape, [](int64_t i) { return i % 3 != 1; });
        ExpectAgrees(Case(a, Tensor(), mask));
        ExpectAgrees(Case(a, RandomFloats(shape), mask));
      }
    }
  }
}

TEST(AttentionKernels, PaddingAtTheEndAndAtTheFront) {
  StridedAttention a = Rows(2, 2, 1, 30, 300, 8, 8);
  a.bias = {300, 0, 0};
  const auto behind = [](int64_t i) { return i % 300 >= (i < 300 ? 40 : 299); };
  const auto before = [](int64_t i) { return i % 300 < (i < 300 ? 290 : 1); };
  for (const float hidden : {-kInf, std::numeric_limits<float>::lowest(), -10000.0f}) {
    ExpectAgrees(Case(a, Bias({2, 1, 1, 300}, hidden, behind)));
    ExpectAgrees(Case(a, Bias({2, 1, 1, 300}, hidden, before)));
  }
  a.mask = a.bias;
  a.mask_hides = true;
  ExpectAgrees(Case(a, Tensor(), Mask({2, 1, 1, 300}, behind)));
  a.hidden = -10000;
  ExpectAgrees(Case(a, Tensor(), Mask({2, 1, 1, 300}, before)));
}

TEST(AttentionKernels, RowsThatSeeNothingDoAsTheSoftmaxDoes) {
  // The second half of the rows is hidden from every key.
  StridedAttention a = Rows(1, 2, 1, 40, 70, 8, 8);
  a.bias = {0, 0, 70};
  const auto hides = [](int64_t i) { return i / 70 >= 20 || i % 70 > i / 70; };
  for (const bool zeros : {false, true}) {
    a.zero_hidden_rows = zeros;
    ExpectAgrees(Case(a, Bias({40, 70}, -kInf, hides)));
    ExpectAgrees(Case(a, Bias({40, 70}, std::numeric_limits<float>::lowest(), hides)));
    a.mask = a.bias;
    a.mask_hides = true;
    for (const float hidden : {-kInf, -1000.0f}) {
      a.hidden = hidden;
      ExpectAgrees(Case(a, Tensor(), Mask({40, 70}, hides)));
    }
  }
}

Tensor Narrowed(const Tensor& floats) {
  Tensor narrow = Tensor::Allocate(DType::kBfloat16, floats.shape()).value();
  for (int64_t i = 0; i < floats.num_elements(); ++i) {
    narrow.mutable_data<Bfloat16>()[i] = floats.data<float>()[i];
  }
  return narrow;
}

Tensor Rounded(Tensor floats) {
  for (int64_t i = 0; i < floats.num_elements(); ++i) {
    floats.mutable_data<float>()[i] = Bfloat16(floats.data<float>()[i]);
  }
  return floats;
}

// Y of the case with Q, K, V and itself in bfloat16, computed in `parts` parts.
std::vector<Bfloat16> RunNarrow(const KernelCase& test, int64_t parts) {
  const StridedAttention a = StridedAttention::Read(test.attributes).value();
  const Tensor q = Narrowed(test.inputs[0].tensor);
  const Tensor k = Narrowed(test.inputs[1].tensor);
  const Tensor v = Narrowed(test.inputs[2].tensor);
  const Tensor& bias = test.inputs[3].tensor;
  const Tensor& mask = test.inputs[4].tensor;
  std::vector<Bfloat16> y(a.output_shape.num_elements());
  const AttentionOperands operands{.q = q.raw(),
                                   .k = k.raw(),
                                   .v = v.raw(),
                                   .bias = bias.has_data() ? bias.data<float>() : nullptr,
                                   .mask = mask.has_data() ? mask.data<bool>() : nullptr,
                                   .y = y.data(),
                                   .narrow_inputs = true,
                                   .narrow_output = true};
  const int64_t tiles = AttentionTiles(a, true);
  for (int64_t part = 0; part < parts; ++part) {
    std::vector<float> scratch(AttentionScratchFloats(a, true), 1e9f);
    AttentionF32(a, operands, tiles * part / parts, tiles * (part + 1) / parts, scratch.data());
  }
  return y;
}

// Q, K and V in bfloat16 give what the same numbers give as floats, but for the rounding of the
// exponentials and of the result.
void ExpectNarrowAgrees(KernelCase test, int64_t parts = 1) {
  for (int i = 0; i < 3; ++i) test.inputs[i].tensor = Rounded(std::move(test.inputs[i].tensor));
  const absl::StatusOr<KernelOutcome> wide = RunCase(test);
  ASSERT_TRUE(wide.ok()) << wide.status();
  const Tensor& expected = wide->expected[0];
  const std::vector<Bfloat16> actual = RunNarrow(test, parts);
  ASSERT_EQ(static_cast<int64_t>(actual.size()), expected.num_elements());
  for (int64_t i = 0; i < expected.num_elements(); ++i) {
    const float e = expected.data<float>()[i];
    const float got = actual[i];
    if (std::isnan(e)) {
      ASSERT_TRUE(std::isnan(got)) << "element " << i;
    } else {
      ASSERT_NEAR(got, e, 0.016) << "element " << i;
    }
  }
}

TEST(AttentionKernels, NarrowOperandsOfEveryNumberOfQueriesAndKeys) {
  for (const int64_t queries : {1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 70}) {
    for (const int64_t keys : {1, 2, 15, 16, 31, 33, 64, 70, 257, 530}) {
      SCOPED_TRACE(testing::Message() << queries << " queries, " << keys << " keys");
      ExpectNarrowAgrees(Case(Rows(1, 2, 1, queries, keys, 8, 8)));
    }
  }
}

TEST(AttentionKernels, NarrowOperandsOfOddHeadSizes) {
  for (const int64_t depth : {1, 3, 16, 17, 32, 40, 64, 96}) {
    for (const int64_t width : {1, 5, 16, 31, 33, 64, 80, 129}) {
      SCOPED_TRACE(testing::Message() << depth << " deep, " << width << " wide");
      ExpectNarrowAgrees(Case(Rows(2, 3, 1, 9, 37, depth, width)));
    }
  }
  ExpectNarrowAgrees(Case(Rows(2, 6, 2, 35, 75, 64, 64)));
}

TEST(AttentionKernels, NarrowOperandsInsideMergedRowsAndHeadFirst) {
  // Rows of an odd number of elements, at odd offsets.
  StridedAttention a = Rows(2, 3, 1, 50, 50, 16, 16);
  const int64_t row = 3 * 3 * 16 + 1;
  for (HeadLayout* layout : {&a.q, &a.k, &a.v}) *layout = {50 * row, 16, row, 0};
  a.k.offset = 3 * 16 + 1;
  a.v.offset = 2 * 3 * 16 + 1;
  KernelCase test = Case(a);
  for (int i = 0; i < 3; ++i) test.inputs[i] = Activation(RandomFloats({2, 50, row}));
  ExpectNarrowAgrees(test);
  a = Rows(2, 3, 1, 50, 64, 32, 32);
  a.q = HeadLayout::HeadFirst(3, 50, 32);
  a.k = HeadLayout::HeadFirst(3, 64, 32);
  a.v = HeadLayout::HeadFirst(3, 64, 32);
  a.y = HeadLayout::HeadFirst(3, 50, 32);
  ExpectNarrowAgrees(Case(a));
}

TEST(AttentionKernels, NarrowOperandsWithMasksAndCausal) {
  for (const int64_t first_position : {0, 1, 13, 300}) {
    for (const int64_t keys : {1, 30, 61, 300}) {
      StridedAttention a = Rows(1, 2, 1, 61, keys, 8, 8);
      a.causal = true;
      a.first_position = first_position;
      ExpectNarrowAgrees(Case(a));
    }
  }
  StridedAttention a = Rows(2, 2, 1, 70, 300, 8, 8);
  a.bias = {300, 0, 0};
  const auto behind = [](int64_t i) { return i % 300 >= (i < 300 ? 40 : 299); };
  const auto before = [](int64_t i) { return i % 300 < (i < 300 ? 290 : 1); };
  for (const float hidden : {-kInf, -10000.0f}) {
    ExpectNarrowAgrees(Case(a, Bias({2, 1, 1, 300}, hidden, behind)));
    ExpectNarrowAgrees(Case(a, Bias({2, 1, 1, 300}, hidden, before)));
  }
  a.mask = a.bias;
  ExpectNarrowAgrees(Case(a, Tensor(), Mask({2, 1, 1, 300}, [](int64_t i) { return i % 3 != 1; })));
  // Rows that see nothing.
  a = Rows(1, 2, 1, 40, 70, 8, 8);
  a.bias = {0, 0, 70};
  const auto hides = [](int64_t i) { return i / 70 >= 20 || i % 70 > i / 70; };
  for (const bool zeros : {false, true}) {
    a.zero_hidden_rows = zeros;
    ExpectNarrowAgrees(Case(a, Bias({40, 70}, -kInf, hides)));
  }
}

TEST(AttentionKernels, NarrowOperandsInParts) {
  ExpectNarrowAgrees(Case(Rows(2, 3, 1, 130, 90, 16, 16)), 5);
}

TEST(AttentionKernels, NoKeysAndNoQueries) {
  ExpectAgrees(Case(Rows(1, 2, 1, 4, 0, 8, 8)));
  ExpectAgrees(Case(Rows(1, 2, 1, 0, 4, 8, 8)));
  ExpectAgrees(Case(Rows(0, 2, 1, 4, 4, 8, 8)));
}

TEST(AttentionKernels, ThreadsGiveTheSameAnswer) {
  for (const int threads : {2, 3}) {
    KernelCase test = Case(Rows(2, 3, 1, 130, 90, 16, 16));
    test.threads = threads;
    ExpectAgrees(test);
  }
}

}  // namespace
}  // namespace inferd::cpu
