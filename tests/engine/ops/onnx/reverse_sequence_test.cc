#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Reverse(const Tensor& x, const Tensor& lengths, int64_t time_axis, const Tensor& expected) {
  return {.op = "ReverseSequence",
          .inputs = {x, lengths},
          .outputs = {expected},
          .attributes = MakeAttributes({{"time_axis", time_axis}, {"batch_axis", 1 - time_axis}})};
}

TEST(ReverseSequence, ReversesEachRowToItsLength) {
  const Tensor lengths = Values<int64_t>({2}, {3, 2});
  CheckOpCases({Reverse(Values<int32_t>({2, 3}, {1, 2, 3, 4, 5, 6}), lengths, 1,
                        Values<int32_t>({2, 3}, {3, 2, 1, 5, 4, 6})),
                Reverse(Values<int32_t>({3, 2}, {1, 4, 2, 5, 3, 6}), lengths, 0,
                        Values<int32_t>({3, 2}, {3, 5, 2, 4, 1, 6}))});
}

TEST(ReverseSequence, RefusesALengthBeyondTheAxis) {
  const Tensor x = Values<int32_t>({1, 2}, {1, 2});
  ExpectOpError(Reverse(x, Values<int64_t>({1}, {3}), 1, x), "length 3 is outside [0,2]");
}

}  // namespace
}  // namespace inferd::testing
