#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

TEST(Concat, JoinsAlongAnyAxis) {
  const Tensor a = Values<int64_t>({2, 1}, {1, 2});
  const Tensor b = Values<int64_t>({2, 2}, {3, 4, 5, 6});
  CheckOpCases({{.op = "Concat",
                 .inputs = {a, b, a},
                 .outputs = {Values<int64_t>({2, 4}, {1, 3, 4, 1, 2, 5, 6, 2})},
                 .attributes = MakeAttributes({{"axis", int64_t{-1}}})},
                {.name = "with an empty part",
                 .op = "Concat",
                 .inputs = {Values<int64_t>({0, 1}, {}), a},
                 .outputs = {a},
                 .attributes = MakeAttributes({{"axis", int64_t{0}}})}});
}

TEST(Concat, RefusesPartsThatDoNotFit) {
  ExpectOpError({.op = "Concat",
                 .inputs = {Values<float>({2, 1}, {1, 2}), Values<float>({1, 2}, {1, 2})},
                 .outputs = {Values<float>({1}, {0})},
                 .attributes = MakeAttributes({{"axis", int64_t{0}}})},
                "shapes [2,1] and [1,2] cannot be joined along axis 0");
  ExpectOpError({.op = "Concat",
                 .inputs = {Values<float>({1}, {1}), Values<int32_t>({1}, {1})},
                 .outputs = {Values<float>({1}, {0})},
                 .attributes = MakeAttributes({{"axis", int64_t{0}}})},
                "input 1 has element type");
}

}  // namespace
}  // namespace inferd::testing
