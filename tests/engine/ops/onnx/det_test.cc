#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Det(const Tensor& x, const Tensor& y) {
  return {.name = "Det", .op = "Det", .inputs = {x}, .outputs = {y}};
}

TEST(Det, EliminatesEveryMatrixOfAStack) {
  CheckOpCases(
      {Det(Values<float>({2, 2}, {0, 1, 1, 0}), Values<float>({}, {-1})),
       Det(Values<double>({2, 2, 2}, {1, 2, 3, 4, 2, 4, 1, 2}), Values<double>({2}, {-2, 0}))});
}

TEST(Det, RefusesMatricesThatAreNotSquare) {
  const Tensor x = Values<float>({1, 2}, {1, 2});
  ExpectOpError(Det(x, x), "square");
}

}  // namespace
}  // namespace inferd::testing
