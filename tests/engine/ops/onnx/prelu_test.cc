#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Prelu(const Tensor& x, const Tensor& slope, const Tensor& y) {
  return {.name = "PRelu", .op = "PRelu", .inputs = {x, slope}, .outputs = {y}};
}

TEST(Prelu, BroadcastsTheSlope) {
  CheckOpCases({Prelu(Values<float>({2, 2}, {-1, 2, -3, -4}), Values<float>({2, 1}, {2, 0.5}),
                      Values<float>({2, 2}, {-2, 2, -1.5, -2})),
                Prelu(Values<int64_t>({2}, {-3, 3}), Values<int64_t>({}, {2}),
                      Values<int64_t>({2}, {-6, 3}))});
}

TEST(Prelu, RefusesASlopeLargerThanTheInput) {
  const Tensor x = Values<float>({1}, {1});
  ExpectOpError(Prelu(x, Values<float>({2}, {1, 2}), x), "slope has shape [2]");
}

}  // namespace
}  // namespace inferd::testing
