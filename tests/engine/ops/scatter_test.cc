#include "engine/ops/scatter.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

const std::pair<const char*, std::vector<double>> kReductions[] = {{"none", {1, 7, 3}},
                                                                   {"add", {1, 14, 3}},
                                                                   {"mul", {1, 70, 3}},
                                                                   {"max", {1, 7, 3}},
                                                                   {"min", {1, 2, 3}}};

TEST(Scatter, CombinesRepeatedUpdates) {
  for (const auto& [reduction, expected] : kReductions) {
    for (DType dtype : {DType::kFloat32, DType::kInt8, DType::kBfloat16, DType::kUint64}) {
      const Tensor data = ValuesAs(dtype, {3}, {1, 2, 3});
      const Tensor updates = ValuesAs(dtype, {2}, {5, 7});
      const Attributes attributes = MakeAttributes({{"reduction", std::string(reduction)}});
      CheckOpCases({{.name = reduction,
                     .op = "ScatterElements",
                     .inputs = {data, Values<int32_t>({2}, {1, -2}), updates},
                     .outputs = {ValuesAs(dtype, {3}, expected)},
                     .attributes = attributes},
                    {.name = reduction,
                     .op = "ScatterND",
                     .inputs = {data, Values<int64_t>({2, 1}, {1, -2}), updates},
                     .outputs = {ValuesAs(dtype, {3}, expected)},
                     .attributes = attributes}});
    }
  }
}

TEST(Scatter, WritesAlongAnInnerAxisAndStrings) {
  CheckOpCase({.op = "ScatterElements",
               .inputs = {Values<std::string>({2, 2}, {"a", "b", "c", "d"}),
                          Values<int64_t>({2, 1}, {1, 0}), Values<std::string>({2, 1}, {"x", "y"})},
               .outputs = {Values<std::string>({2, 2}, {"a", "x", "y", "d"})},
               .attributes = MakeAttributes({{"axis", int64_t{1}}})});
}

TEST(Scatter, NamesAnIndexOutOfRange) {
  const Tensor data = Values<float>({3}, {1, 2, 3});
  ExpectOpError({.op = "ScatterElements",
                 .inputs = {data, Values<int64_t>({1}, {3}), Values<float>({1}, {9})},
                 .outputs = {data}},
                "index 3 at position 0 is outside [-3,2]");
}

TEST(Scatter, RefusesUpdatesOfAnotherShape) {
  const Tensor data = Values<float>({3}, {1, 2, 3});
  ExpectOpError({.op = "ScatterElements",
                 .inputs = {data, Values<int64_t>({1}, {0}), Values<float>({2}, {9, 9})},
                 .outputs = {data}},
                "do not fit");
  ExpectOpError({.op = "ScatterND",
                 .inputs = {data, Values<int64_t>({1, 1}, {0}), Values<float>({2}, {9, 9})},
                 .outputs = {data}},
                "expected float32[1]");
}

}  // namespace
}  // namespace inferd::testing
