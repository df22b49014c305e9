#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase CastMap(Tensor values, Tensor result, std::string target) {
  const Shape shape = values.shape();
  Tensor keys = Tensor::Allocate(DType::kInt64, shape).value();
  for (int64_t i = 0; i < shape.num_elements(); ++i) keys.mutable_data<int64_t>()[i] = 9 - i;
  return {.op = "CastMap",
          .inputs = {Tensor::Map(keys, std::move(values))},
          .outputs = {std::move(result)},
          .attributes = MakeAttributes({{"cast_to", target}}),
          .domain = "ai.onnx.ml"};
}

TEST(CastMap, ConvertsEveryTypeInTheOrderOfKeys) {
  const Tensor numbers = Values<float>({2}, {1.5f, -2});
  const Tensor texts = Values<std::string>({2}, {"2.5", "9007199254740993"});
  CheckOpCases({CastMap(numbers, Values<float>({1, 2}, {-2, 1.5f}), "TO_FLOAT"),
                CastMap(numbers, Values<int64_t>({1, 2}, {-2, 1}), "TO_INT64"),
                CastMap(numbers, Values<std::string>({1, 2}, {"-2", "1.5"}), "TO_STRING"),
                CastMap(texts, Values<float>({1, 2}, {9007199254740992.0f, 2.5f}), "TO_FLOAT")});
}

TEST(CastMap, NumbersBeyondInt64BecomeTheNearestOne) {
  CheckOpCase(CastMap(Values<float>({3}, {INFINITY, -1e30f, NAN}),
                      Values<int64_t>({1, 3}, {0, INT64_MIN, INT64_MAX}), "TO_INT64"));
}

}  // namespace
}  // namespace inferd::testing
