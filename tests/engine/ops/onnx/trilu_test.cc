#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Trilu(const Tensor& x, int64_t k, int64_t upper, const Tensor& expected) {
  return {.op = "Trilu",
          .inputs = {x, Values<int64_t>({}, {k})},
          .outputs = {expected},
          .attributes = MakeAttributes({{"upper", upper}})};
}

TEST(Trilu, KeepsOneSideOfTheDiagonal) {
  const Tensor x = Values<int64_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  CheckOpCases({Trilu(x, 0, 1, Values<int64_t>({2, 3}, {1, 2, 3, 0, 5, 6})),
                Trilu(x, 1, 1, Values<int64_t>({2, 3}, {0, 2, 3, 0, 0, 6})),
                Trilu(x, 0, 0, Values<int64_t>({2, 3}, {1, 0, 0, 4, 5, 0})),
                Trilu(x, -1, 0, Values<int64_t>({2, 3}, {0, 0, 0, 4, 0, 0})),
                Trilu(x, INT64_MAX, 0, x), Trilu(x, INT64_MIN, 1, x)});
}

TEST(Trilu, PutsOnesOnADiagonal) {
  CheckOpCase({.op = "EyeLike",
               .inputs = {Values<float>({2, 3}, {9, 9, 9, 9, 9, 9})},
               .outputs = {Values<bool>({2, 3}, {false, true, false, false, false, true})},
               .attributes = MakeAttributes(
                   {{"k", int64_t{1}}, {"dtype", static_cast<int64_t>(DType::kBool)}})});
}

TEST(Trilu, RefusesAVector) {
  const Tensor x = Values<float>({2}, {1, 2});
  ExpectOpError(Trilu(x, 0, 1, x), "matrix");
}

}  // namespace
}  // namespace inferd::testing
