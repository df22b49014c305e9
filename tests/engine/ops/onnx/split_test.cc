#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

TEST(Split, DividesEquallyOrAsGiven) {
  const Tensor x = Values<int32_t>({5}, {1, 2, 3, 4, 5});
  CheckOpCases({{.name = "equal but for the last",
                 .op = "Split",
                 .inputs = {x},
                 .outputs = {Values<int32_t>({2}, {1, 2}), Values<int32_t>({2}, {3, 4}),
                             Values<int32_t>({1}, {5})},
                 .attributes = MakeAttributes({{"num_outputs", int64_t{3}}})},
                {.name = "given, and one output not wanted",
                 .op = "Split",
                 .inputs = {x, Values<int64_t>({3}, {0, 4, 1})},
                 .outputs = {Values<int32_t>({0}, {}), std::nullopt, Values<int32_t>({1}, {5})}},
                {.name = "inner axis",
                 .op = "Split",
                 .inputs = {Values<float>({2, 2}, {1, 2, 3, 4})},
                 .outputs = {Values<float>({2, 1}, {1, 3}), Values<float>({2, 1}, {2, 4})},
                 .attributes = MakeAttributes({{"axis", int64_t{1}}})}});
}

TEST(Split, RefusesSizesThatDoNotAddUp) {
  const Tensor x = Values<int32_t>({5}, {1, 2, 3, 4, 5});
  ExpectOpError(
      {.op = "Split", .inputs = {x, Values<int64_t>({2}, {INT64_MAX, 1})}, .outputs = {x, x}},
      "do not divide a dimension of 5 into 2 outputs");
}

}  // namespace
}  // namespace inferd::testing
