#include "engine/ops/sequence_reduction.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Reduce(const std::string& kind, const Tensor& x, const Tensor& offsets,
              const Tensor& expected, int64_t axis = 1) {
  return {.name = kind,
          .op = "ReduceSequences",
          .inputs = {x, offsets},
          .outputs = {expected},
          .attributes = MakeAttributes({{"kind", kind}, {"axis", axis}}),
          .domain = "inferd"};
}

TEST(SequenceReduction, MakesOneEntryOfEachSequence) {
  const Tensor x = Values<float>({1, 4, 2}, {1, -2, 3, 4, 5, 0, 100, 100});
  const Tensor offsets = Values<int64_t>({4}, {0, 1, 3, 3});
  const auto of = [](float a, float b, float c, float d) {
    return Values<float>({1, 3, 2}, {a, b, c, d, 0, 0});
  };
  CheckOpCases(
      {Reduce("first", x, offsets, of(1, -2, 3, 4)), Reduce("last", x, offsets, of(1, -2, 5, 0)),
       Reduce("sum", x, offsets, of(1, -2, 8, 4)), Reduce("mean", x, offsets, of(1, -2, 4, 2)),
       Reduce("max", x, offsets, of(1, -2, 5, 4)), Reduce("min", x, offsets, of(1, -2, 3, 0))});
}

TEST(SequenceReduction, TakesIntegers) {
  const Tensor x = Values<int64_t>({3}, {1, 2, 4});
  CheckOpCase(Reduce("sum", x, Values<int64_t>({3}, {0, 1, 3}), Values<int64_t>({2}, {1, 6}), 0));
}

TEST(SequenceReduction, RefusesOffsetsBehindTheTokensAndKindsItDoesNotKnow) {
  const Tensor x = Values<float>({1, 2}, {1, 2});
  const Tensor y = Values<float>({1, 1}, {0});
  ExpectOpError(Reduce("sum", x, Values<int64_t>({2}, {0, 3}), y), "offset 1 is 3");
  ExpectOpError(Reduce("product", x, Values<int64_t>({2}, {0, 2}), y), "kind is 'product'");
  ExpectOpError(Reduce("sum", x, Values<int64_t>({2}, {0, 2}), y, 2), "axis is 2");
  ExpectOpError(Reduce("sum", Values<float>({2, 1}, {1, 2}), Values<int64_t>({2}, {0, 1}),
                       Values<float>({2, 1}, {0, 0})),
                "before axis 1");
}

}  // namespace
}  // namespace inferd::testing
