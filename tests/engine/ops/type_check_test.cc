#include "engine/ops/type_check.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

TEST(TypeCheck, RefusesOperandsOfDifferentTypes) {
  const Tensor f = Values<float>({1, 1, 1}, {1});
  const Tensor i = Values<int8_t>({1, 1, 1}, {1});
  ExpectOpError({.name = "Conv", .op = "Conv", .inputs = {f, i}, .outputs = {f}},
                "input 1 has element type int8, input 0 has float32");
  ExpectOpError({.name = "MatMul", .op = "MatMul", .inputs = {f, i}, .outputs = {f}}, "input 1");
  ExpectOpError({.name = "LSTM", .op = "LSTM", .inputs = {f, f, i}, .outputs = {f}}, "input 2");
}

TEST(TypeCheck, RefusesTypesAnOperatorDoesNotTake) {
  const Tensor i = Values<int32_t>({2}, {1, 2});
  ExpectOpError({.name = "DynamicQuantizeLinear",
                 .op = "DynamicQuantizeLinear",
                 .inputs = {i},
                 .outputs = {i, i, i}},
                "input 0 has element type int32, expected float32");
}

}  // namespace
}  // namespace inferd::testing
