#include "engine/providers/cpu/cpu_provider.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"
#include "tests/engine/providers/cpu/provider_case.h"

namespace inferd::cpu {
namespace {

ProviderCase CaseOf(bool trans_a, bool trans_b, bool constant, float alpha = 1, float beta = 1) {
  ProviderCase test("Gemm", AttributesOf({{"transA", int64_t{trans_a}},
                                          {"transB", int64_t{trans_b}},
                                          {"alpha", alpha},
                                          {"beta", beta}}));
  const Shape a = trans_a ? Shape({33, 9}) : Shape({9, 33});
  const Shape b = trans_b ? Shape({20, 33}) : Shape({33, 20});
  test.Input(RandomFloats(a, -1, 1, 1));
  constant ? test.Constant(RandomFloats(b, -1, 1, 2)) : test.Input(RandomFloats(b, -1, 1, 2));
  return test;
}

TEST(GemmKernel, AgreesOverTransposesScalesAndAddends) {
  const Shape addends[] = {{20}, {1, 20}, {9, 20}, {1}, {}, {1, 1}};
  for (int bits = 0; bits < 8; ++bits) {
    const bool a = bits & 1;
    const bool b = bits & 2;
    const bool constant = bits & 4;
    CaseOf(a, b, constant).ExpectAgrees();
    CaseOf(a, b, constant, 0.5f).ExpectAgrees();
    for (const Shape& addend : addends) {
      CaseOf(a, b, constant).Constant(RandomFloats(addend)).ExpectAgrees();
      CaseOf(a, b, constant, 0.5f, 2.0f).Constant(RandomFloats(addend)).ExpectAgrees();
      CaseOf(a, b, constant, -1.0f, 0.0f).Constant(RandomFloats(addend)).ExpectAgrees();
    }
    CaseOf(a, b, constant, 0.0f, 3.0f).Input(RandomFloats({20})).ExpectAgrees();
  }
}

TEST(GemmKernel, AppliesEpilogues) {
  const auto make = [] { return CaseOf(false, true, true).Constant(RandomFloats({20})); };
  make().Then("Relu").ExpectAgrees();
  make().Then("Gelu").ThenWith("Add", RandomFloats({9, 20})).ExpectAgrees();
  make().ThenWith("Mul", RandomFloats({20}), true).ExpectAgrees();
}

TEST(GemmKernel, WorksWithOneRow) {
  ProviderCase test("Gemm", AttributesOf({{"transB", int64_t{1}}}));
  test.Input(RandomFloats({1, 200})).Constant(RandomFloats({1000, 200}, -1, 1, 2));
  test.Constant(RandomFloats({1000})).ExpectAgrees();
}

TEST(GemmKernel, LeavesColumnAddendsToOthers) {
  ProviderCase test = CaseOf(false, false, true).Constant(RandomFloats({9, 1}));
  const auto provider = MakeCpuProvider();
  EXPECT_FALSE(test.Supported(*provider));
}

}  // namespace
}  // namespace inferd::cpu
