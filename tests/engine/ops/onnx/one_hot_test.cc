#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

TEST(OneHot, PlacesTheNewAxisAndIgnoresStrangeIndices) {
  const Tensor off_on = Values<int8_t>({2}, {0, 1});
  CheckOpCases({{.op = "OneHot",
                 .inputs = {Values<int64_t>({3}, {1, -1, 7}), Values<float>({}, {3}), off_on},
                 .outputs = {Values<int8_t>({3, 3}, {0, 1, 0, 0, 0, 1, 0, 0, 0})}},
                {.op = "OneHot",
                 .inputs = {Values<float>({2}, {0, 1}), Values<int64_t>({1}, {2}),
                            Values<std::string>({2}, {"no", "yes"})},
                 .outputs = {Values<std::string>({2, 2}, {"yes", "no", "no", "yes"})},
                 .attributes = MakeAttributes({{"axis", int64_t{0}}})}});
}

TEST(OneHot, RefusesHostileDepths) {
  const Tensor indices = Values<int64_t>({1}, {0});
  const Tensor off_on = Values<int8_t>({2}, {0, 1});
  ExpectOpError(
      {.op = "OneHot", .inputs = {indices, Values<int64_t>({}, {-1}), off_on}, .outputs = {off_on}},
      "depth");
  ExpectOpError({.op = "OneHot",
                 .inputs = {indices, Values<int64_t>({}, {INT64_MAX}), off_on},
                 .outputs = {off_on}},
                "");
}

}  // namespace
}  // namespace inferd::testing
