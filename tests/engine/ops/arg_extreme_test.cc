#include "engine/ops/arg_extreme.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Arg(const std::string& op, const Tensor& x, int64_t last, const Tensor& expected) {
  return {.op = op,
          .inputs = {x},
          .outputs = {expected},
          .attributes = MakeAttributes(
              {{"axis", int64_t{-1}}, {"keepdims", int64_t{0}}, {"select_last_index", last}})};
}

TEST(ArgExtreme, TakesTheFirstOrLastOfEqualValues) {
  const Tensor x = Values<int16_t>({2, 4}, {3, 1, 3, 1, 0, 0, 0, 0});
  CheckOpCases({Arg("ArgMax", x, 0, Values<int64_t>({2}, {0, 0})),
                Arg("ArgMax", x, 1, Values<int64_t>({2}, {2, 3})),
                Arg("ArgMin", x, 0, Values<int64_t>({2}, {1, 0})),
                Arg("ArgMin", x, 1, Values<int64_t>({2}, {3, 3}))});
}

TEST(ArgExtreme, TakesNanAsTheExtreme) {
  const Tensor x = Values<float>({3}, {1, std::nanf(""), 2});
  CheckOpCases({Arg("ArgMax", x, 0, Values<int64_t>({}, {1})),
                Arg("ArgMin", x, 0, Values<int64_t>({}, {1}))});
}

TEST(ArgExtreme, RefusesAnEmptyAxis) {
  ExpectOpError(Arg("ArgMax", Values<float>({2, 0}, {}), 0, Values<int64_t>({2}, {0, 0})),
                "no extreme");
}

}  // namespace
}  // namespace inferd::testing
