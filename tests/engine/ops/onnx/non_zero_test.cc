#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

TEST(NonZero, GivesPositionsByDimension) {
  CheckOpCases({{.op = "NonZero",
                 .inputs = {Values<float>({2, 2}, {1, 0, NAN, 1})},
                 .outputs = {Values<int64_t>({2, 3}, {0, 1, 1, 0, 0, 1})}},
                {.op = "NonZero",
                 .inputs = {Values<std::string>({2}, {"", "a"})},
                 .outputs = {Values<int64_t>({1, 1}, {1})}},
                {.op = "NonZero",
                 .inputs = {Values<bool>({}, {true})},
                 .outputs = {Values<int64_t>({0, 1}, {})}}});
}

TEST(NonZero, ChoosesWithCompress) {
  const Tensor x = Values<int8_t>({2, 2}, {1, 2, 3, 4});
  CheckOpCases({{.op = "Compress",
                 .inputs = {x, Values<bool>({3}, {true, false, true})},
                 .outputs = {Values<int8_t>({2}, {1, 3})}},
                {.op = "Compress",
                 .inputs = {x, Values<bool>({2}, {false, true})},
                 .outputs = {Values<int8_t>({2, 1}, {2, 4})},
                 .attributes = MakeAttributes({{"axis", int64_t{1}}})}});
  ExpectOpError({.op = "Compress",
                 .inputs = {x, Values<bool>({3}, {false, false, true})},
                 .outputs = {x},
                 .attributes = MakeAttributes({{"axis", int64_t{1}}})},
                "index 2, the axis has 2");
}

}  // namespace
}  // namespace inferd::testing
