#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Multiply(DType a, DType b, DType y, Tensor result) {
  const Tensor one = Values<float>({}, {1});
  const Tensor half = Values<float>({}, {0.5f});
  return {.op = "QLinearMatMul",
          .inputs = {ValuesAs(a, {1, 2}, {1, 2}), half, ValuesAs(a, {}, {0}),
                     ValuesAs(b, {2, 1}, {3, 4}), half, ValuesAs(b, {}, {1}), one,
                     ValuesAs(y, {}, {0})},
          .outputs = {std::move(result)}};
}

TEST(QLinearMatMul, TakesIntegersAndFloat8s) {
  const DType types[] = {DType::kInt8,           DType::kUint8,      DType::kFloat8E4m3fn,
                         DType::kFloat8E4m3fnuz, DType::kFloat8E5m2, DType::kFloat8E5m2fnuz};
  for (DType a : types) {
    for (DType y : types) {
      CheckOpCase(Multiply(a, types[0], y, ValuesAs(y, {1, 1}, {2})));
      CheckOpCase(Multiply(types[2], a, y, ValuesAs(y, {1, 1}, {2})));
    }
  }
}

TEST(QLinearMatMul, RefusesOtherTypes) {
  const Tensor result = Values<float>({1, 1}, {2});
  ExpectOpError(Multiply(DType::kFloat32, DType::kInt8, DType::kInt8, result), "float32");
  ExpectOpError(Multiply(DType::kInt8, DType::kInt16, DType::kInt8, result), "int16");
  ExpectOpError(Multiply(DType::kInt8, DType::kInt8, DType::kFloat32, result), "float32");
}

}  // namespace
}  // namespace inferd::testing
