#include "engine/ops/matmul.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

OpCase Product(const char* op, std::vector<std::optional<Tensor>> inputs, const Tensor& y,
               Pairs attributes = {}) {
  return {.name = op,
          .op = op,
          .inputs = std::move(inputs),
          .outputs = {y},
          .attributes = MakeAttributes(std::move(attributes))};
}

TEST(MatMul, MultipliesMatricesVectorsAndStacks) {
  const Tensor a = Values<float>({2, 2}, {1, 2, 3, 4});
  const Tensor v = Values<float>({2}, {1, 10});
  const Tensor stack = Values<float>({2, 1, 2}, {1, 0, 0, 1});
  CheckOpCases({Product("MatMul", {a, a}, Values<float>({2, 2}, {7, 10, 15, 22})),
                Product("MatMul", {a, v}, Values<float>({2}, {21, 43})),
                Product("MatMul", {v, a}, Values<float>({2}, {31, 42})),
                Product("MatMul", {v, v}, Values<float>({}, {101})),
                Product("MatMul", {stack, a}, Values<float>({2, 1, 2}, {1, 2, 3, 4}))});
}

TEST(MatMul, WrapsIntegersAndGivesZerosForAnEmptySum) {
  CheckOpCases(
      {Product("MatMul", {Values<int32_t>({1, 1}, {1 << 30}), Values<int32_t>({1, 1}, {4})},
               Values<int32_t>({1, 1}, {0})),
       Product("MatMul", {Values<float>({1, 0}, {}), Values<float>({0, 2}, {})},
               Values<float>({1, 2}, {0, 0}))});
}

TEST(MatMul, RefusesInnerSizesThatDiffer) {
  const Tensor a = Values<float>({1, 2}, {1, 2});
  ExpectOpError(Product("MatMul", {a, a}, a), "inner sizes 2 and 1");
  ExpectOpError(Product("MatMul", {a, Values<float>({}, {1})}, a), "scalar");
}

TEST(Gemm, TransposesScalesAndAddsABroadcastMatrix) {
  const Tensor a = Values<float>({2, 1}, {1, 2});
  const Tensor b = Values<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  CheckOpCases(
      {Product("Gemm", {a, b, Values<float>({3}, {1, 1, 2})}, Values<float>({1, 3}, {12, 24, 38}),
               {{"transA", int64_t{1}}, {"transB", int64_t{1}}, {"alpha", 2.0f}, {"beta", 2.0f}})});
}

TEST(Gemm, RefusesAMatrixThatDoesNotBroadcast) {
  const Tensor a = Values<float>({1, 1}, {1});
  ExpectOpError(Product("Gemm", {a, a, Values<float>({2}, {1, 2})}, a), "C has shape [2]");
  ExpectOpError(Product("Gemm", {Values<float>({1}, {1}), a}, a), "two matrices");
}

TEST(AddMatrixProduct, AgreesWithTheDefinitionAcrossColumnBlocks) {
  constexpr int64_t kRows = 2, kColumns = 1030, kDepth = 6;
  std::vector<double> a(kRows * kDepth), b(kDepth * kColumns), c(kRows * kColumns, 1);
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<double>(i % 7) - 3;
  for (size_t i = 0; i < b.size(); ++i) b[i] = static_cast<double>(i % 11) - 5;
  AddMatrixProduct(kRows, kColumns, kDepth, a.data(), b.data(), c.data());
  for (int64_t i = 0; i < kRows * kColumns; ++i) {
    double expected = 1;
    for (int64_t k = 0; k < kDepth; ++k) {
      expected += a[i / kColumns * kDepth + k] * b[k * kColumns + i % kColumns];
    }
    ASSERT_EQ(c[i], expected) << i;
  }
}

}  // namespace
}  // namespace inferd::testing
