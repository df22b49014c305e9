#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Cumulate(const char* op, const Tensor& x, int64_t axis, int64_t exclusive, int64_t reverse,
                const Tensor& expected) {
  return {.op = op,
          .inputs = {x, Values<int64_t>({}, {axis})},
          .outputs = {expected},
          .attributes = MakeAttributes({{"exclusive", exclusive}, {"reverse", reverse}})};
}

TEST(CumSum, RunsBothWaysWithAndWithoutTheElement) {
  const Tensor x = Values<int32_t>({3}, {2, 3, 4});
  CheckOpCases({Cumulate("CumSum", x, 0, 0, 0, Values<int32_t>({3}, {2, 5, 9})),
                Cumulate("CumSum", x, 0, 1, 0, Values<int32_t>({3}, {0, 2, 5})),
                Cumulate("CumSum", x, 0, 0, 1, Values<int32_t>({3}, {9, 7, 4})),
                Cumulate("CumSum", x, -1, 1, 1, Values<int32_t>({3}, {7, 4, 0})),
                Cumulate("CumProd", x, 0, 1, 0, Values<int32_t>({3}, {1, 2, 6})),
                Cumulate("CumSum", Values<double>({2, 2}, {1, 2, 3, 4}), 0, 0, 0,
                         Values<double>({2, 2}, {1, 2, 4, 6}))});
}

TEST(CumSum, RefusesAnAxisOutsideTheRank) {
  const Tensor x = Values<int32_t>({1}, {2});
  ExpectOpError(Cumulate("CumSum", x, 1, 0, 0, x), "axis 1");
}

}  // namespace
}  // namespace inferd::testing
