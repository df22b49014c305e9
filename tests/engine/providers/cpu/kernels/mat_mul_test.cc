#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"
#include "tests/engine/providers/cpu/provider_case.h"

namespace inferd::cpu {
namespace {

ProviderCase CaseOf(const Shape& a, const Shape& b, bool constant) {
  ProviderCase test("MatMul");
  test.Input(RandomFloats(a, -1, 1, 1));
  constant ? test.Constant(RandomFloats(b, -1, 1, 2)) : test.Input(RandomFloats(b, -1, 1, 2));
  return test;
}

TEST(MatMulKernel, AgreesOverSmallAndOddMatrices) {
  for (int64_t m : {1, 2, 7, 40}) {
    for (int64_t n : {1, 3, 17, 64}) {
      for (int64_t k : {1, 5, 70}) {
        for (bool constant : {false, true}) CaseOf({m, k}, {k, n}, constant).ExpectAgrees();
      }
    }
  }
}

TEST(MatMulKernel, FlattensProductsByOneMatrix) {
  for (bool constant : {false, true}) {
    CaseOf({2, 9, 33}, {33, 20}, constant).ExpectAgrees();
    CaseOf({2, 3, 9, 33}, {1, 33, 20}, constant).ExpectAgrees();
    CaseOf({1, 3, 5}, {1, 1, 5, 4}, constant).ExpectAgrees();
  }
}

TEST(MatMulKernel, BroadcastsBatches) {
  for (bool constant : {false, true}) {
    CaseOf({2, 3, 12, 16}, {2, 3, 16, 12}, constant).ExpectAgrees();
    CaseOf({2, 3, 1, 16}, {2, 3, 16, 1}, constant).ExpectAgrees();
    CaseOf({2, 1, 5, 16}, {1, 3, 16, 7}, constant).ExpectAgrees();
    CaseOf({5, 16}, {4, 16, 7}, constant).ExpectAgrees();
    CaseOf({1, 1, 12, 16}, {2, 3, 16, 12}, constant).ExpectAgrees();
    CaseOf({3, 12, 16}, {2, 1, 16, 12}, constant).ExpectAgrees();
    CaseOf({2, 2, 3, 4, 5}, {2, 1, 1, 5, 6}, constant).ExpectAgrees();
  }
}

TEST(MatMulKernel, AppliesEpilogues) {
  const auto make = [] { return CaseOf({2, 9, 33}, {33, 20}, true); };
  const Tensor residual = RandomFloats({2, 9, 20}, -1, 1, 7);
  make().ThenWith("Add", RandomFloats({20}), true).ExpectAgrees();
  make().ThenWith("Add", RandomFloats({20})).Then("Gelu").ExpectAgrees();
  make().ThenWith("Add", RandomFloats({1, 1, 20}), true).ThenWith("Add", residual).ExpectAgrees();
  make().ThenWith("Add", residual).ThenWith("Add", RandomFloats({20}), true).ExpectAgrees();
  make().ThenWith("Mul", RandomFloats({20}), true).Then("Relu").ExpectAgrees();
  make().ThenWith("Add", residual, true).ExpectAgrees();
  make().ThenWith("Mul", Tensor::Scalar(0.125f), true).ExpectAgrees();
  make().ThenWith("Div", Tensor::Scalar(8.0f), true).Then("Tanh").ExpectAgrees();
  make().ThenWith("Sub", RandomFloats({20}), true, true).ExpectAgrees();
  make().ThenWith("Div", RandomFloats({20}, 1, 2), true).ExpectAgrees();
}

TEST(MatMulKernel, AppliesEpiloguesToBatches) {
  for (bool constant : {false, true}) {
    const auto make = [&] { return CaseOf({2, 3, 12, 16}, {2, 3, 16, 9}, constant); };
    make().ThenWith("Mul", Tensor::Scalar(0.25f), true).ExpectAgrees();
    make().ThenWith("Add", RandomFloats({2, 3, 12, 9})).ExpectAgrees();
    make().ThenWith("Add", RandomFloats({9}), true).ExpectAgrees();
    make().ThenWith("Add", RandomFloats({2, 1, 1, 9})).ExpectAgrees();
    make()
        .ThenWith("Div", Tensor::Scalar(4.0f), true)
        .ThenWith("Add", RandomFloats({2, 1, 1, 9}))
        .ExpectAgrees();
  }
  CaseOf({2, 12, 16}, {2, 16, 9}, false).ThenWith("Add", RandomFloats({2, 1, 9})).ExpectAgrees();
  CaseOf({2, 12, 16}, {16, 9}, true).ThenWith("Add", RandomFloats({2, 1, 9})).ExpectAgrees();
}

TEST(MatMulKernel, KeepsItsBestImplementationWithEpilogues) {
  const auto make = [] { return CaseOf({64, 128}, {128, 256}, true); };
  const std::string plain = make().ExpectAgrees();
  EXPECT_EQ(make().ThenWith("Add", RandomFloats({256}), true).Then("Gelu").ExpectAgrees(),
            plain + "+Add+Gelu");
  EXPECT_EQ(make().ThenWith("Add", RandomFloats({64, 256})).ExpectAgrees(), plain + "+Add");
}

}  // namespace
}  // namespace inferd::cpu
