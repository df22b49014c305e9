#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

Tensor List(std::initializer_list<int64_t> values) {
  return Values<int64_t>({static_cast<int64_t>(values.size())}, values);
}

TEST(Unique, FindsDistinctElements) {
  const Tensor x = Values<float>({6}, {2, 1, 1, 3, 4, 3});
  CheckOpCases(
      {{.name = "sorted",
        .op = "Unique",
        .inputs = {x},
        .outputs = {Values<float>({4}, {1, 2, 3, 4}), List({1, 0, 3, 4}), List({1, 0, 0, 2, 3, 2}),
                    List({2, 1, 2, 1})}},
       {.name = "in order of occurrence, two outputs",
        .op = "Unique",
        .inputs = {x},
        .outputs = {Values<float>({4}, {2, 1, 3, 4}), std::nullopt, List({0, 1, 1, 2, 3, 2})},
        .attributes = MakeAttributes({{"sorted", int64_t{0}}})},
       {.name = "strings",
        .op = "Unique",
        .inputs = {Values<std::string>({3}, {"b", "a", "b"})},
        .outputs = {Values<std::string>({2}, {"a", "b"})}},
       {.name = "nan is equal to itself",
        .op = "Unique",
        .inputs = {Values<float>({3}, {NAN, 1, NAN})},
        .outputs = {Values<float>({2}, {1, NAN})}}});
}

TEST(Unique, FindsDistinctSlices) {
  CheckOpCase({.op = "Unique",
               .inputs = {Values<int32_t>({2, 3}, {1, 0, 1, 2, 5, 2})},
               .outputs = {Values<int32_t>({2, 2}, {0, 1, 5, 2}), List({1, 0}), List({1, 0, 1}),
                           List({1, 2})},
               .attributes = MakeAttributes({{"axis", int64_t{1}}})});
}

TEST(Unique, RefusesCountlessEmptyItems) {
  const Tensor x = Tensor::Allocate(DType::kFloat32, {int64_t{1} << 30, 0}).value();
  ExpectOpError({.op = "Unique",
                 .inputs = {x},
                 .outputs = {x},
                 .attributes = MakeAttributes({{"axis", int64_t{0}}})},
                "empty items");
}

}  // namespace
}  // namespace inferd::testing
