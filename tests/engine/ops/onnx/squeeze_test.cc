#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

TEST(Squeeze, DropsAndAddsAxes) {
  const Tensor x = Values<float>({1, 2, 1}, {1, 2});
  CheckOpCases({{.op = "Squeeze", .inputs = {x}, .outputs = {Values<float>({2}, {1, 2})}},
                {.op = "Squeeze",
                 .inputs = {x, Values<int64_t>({1}, {-1})},
                 .outputs = {Values<float>({1, 2}, {1, 2})}},
                {.op = "Unsqueeze",
                 .inputs = {Values<float>({2}, {1, 2}), Values<int64_t>({2}, {2, 0})},
                 .outputs = {x}},
                {.op = "Flatten",
                 .inputs = {x},
                 .outputs = {Values<float>({2, 1}, {1, 2})},
                 .attributes = MakeAttributes({{"axis", int64_t{2}}})}});
}

TEST(Squeeze, RefusesADimensionThatIsNotOne) {
  ExpectOpError({.op = "Squeeze",
                 .inputs = {Values<float>({2}, {1, 2}), Values<int64_t>({1}, {0})},
                 .outputs = {Values<float>({}, {0})}},
                "its size is not 1");
}

}  // namespace
}  // namespace inferd::testing
