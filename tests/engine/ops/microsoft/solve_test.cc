#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(const char* name, std::initializer_list<double> a, std::initializer_list<double> y,
            std::initializer_list<double> x) {
  return {.name = name,
          .op = "Solve",
          .inputs = {Values<double>({2, 2}, a), Values<double>({2, 1}, y)},
          .outputs = {Values<double>({2, 1}, x)},
          .domain = "com.microsoft"};
}

TEST(Solve, FindsWhatTheMatrixMakesTheRightSide) {
  OpCase transposed = Case("TakesTheMatrixTransposed", {0, 1, 2, 3}, {2, 4}, {1, 1});
  transposed.attributes = MakeAttributes({{"transposed", int64_t{1}}});
  CheckOpCases({
      Case("SwapsRowsWhereAPivotIsZero", {0, 2, 1, 1}, {4, 3}, {1, 2}),
      transposed,
      {.name = "SolvesSeveralRightSides",
       .op = "Solve",
       .inputs = {Values<float>({2, 2}, {2, 0, 0, 4}), Values<float>({2, 3}, {2, 4, 6, 4, 8, 12})},
       .outputs = {Values<float>({2, 3}, {1, 2, 3, 1, 2, 3})},
       .domain = "com.microsoft"},
  });
}

TEST(Solve, RefusesAMatrixWithoutDimensions) {
  ExpectOpError({.op = "Solve",
                 .inputs = {Values<float>({}, {1}), Values<float>({1, 1}, {1})},
                 .outputs = {Values<float>({1, 1}, {1})},
                 .domain = "com.microsoft"},
                "expected [n,n]");
}

TEST(Solve, RefusesWhatHasNoSolution) {
  ExpectOpError(Case("", {1, 2, 2, 4}, {1, 1}, {0, 0}), "singular");
  OpCase wide = Case("", {1, 2, 2, 4}, {1, 1}, {0, 0});
  wide.inputs[0] = Values<double>({1, 2}, {1, 2});
  ExpectOpError(wide, "expected [n,n]");
  OpCase tall = Case("", {1, 2, 2, 4}, {1, 1}, {0, 0});
  tall.inputs[1] = Values<double>({3, 1}, {1, 2, 3});
  ExpectOpError(tall, "expected [n,n]");
}

}  // namespace
}  // namespace inferd::testing
