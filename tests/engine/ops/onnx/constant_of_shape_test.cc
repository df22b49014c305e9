#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Filled(const Tensor& shape, const Tensor& expected) {
  return {.op = "ConstantOfShape", .inputs = {shape}, .outputs = {expected}};
}

TEST(ConstantOfShape, FillsWithTheValueOrZero) {
  OpCase op_case = Filled(Values<int64_t>({2}, {1, 2}), Values<int8_t>({1, 2}, {7, 7}));
  op_case.attributes = MakeAttributes({{"value", Values<int8_t>({1}, {7})}});
  CheckOpCase(op_case);
  CheckOpCase(Filled(Values<int64_t>({1}, {2}), Values<float>({2}, {0, 0})));
  CheckOpCase(Filled(Values<int64_t>({0}, {}), Values<float>({}, {0})));
}

TEST(ConstantOfShape, RefusesHostileShapes) {
  const Tensor any = Values<float>({}, {0});
  ExpectOpError(Filled(Values<int64_t>({1}, {-1}), any), "-1");
  ExpectOpError(Filled(Values<int64_t>({2}, {int64_t{1} << 40, int64_t{1} << 40}), any), "");
  ExpectOpError(Filled(Values<int64_t>({1}, {int64_t{1} << 40}), any), "limit");
}

TEST(ConstantOfShape, GivesConstantsOfEveryAttribute) {
  const auto constant = [](const char* name, Attributes::Value value, const Tensor& expected) {
    CheckOpCase({.name = name,
                 .op = "Constant",
                 .inputs = {},
                 .outputs = {expected},
                 .attributes = MakeAttributes({{name, std::move(value)}})});
  };
  constant("value", Values<bool>({2}, {true, false}), Values<bool>({2}, {true, false}));
  constant("value_int", int64_t{3}, Values<int64_t>({}, {3}));
  constant("value_floats", std::vector<float>{1, 2}, Values<float>({2}, {1, 2}));
  constant("value_strings", std::vector<std::string>{"a"}, Values<std::string>({1}, {"a"}));
}

}  // namespace
}  // namespace inferd::testing
