#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

TEST(LayerNormKernels, RowLengthsWithAndWithoutBias) {
  for (const int64_t length : {1, 3, 16, 31, 64, 100, 768}) {
    KernelCase test{.op = "LayerNormalization",
                    .inputs = {Activation(RandomFloats({2, 5, length}, -3, 9)),
                               Constant(RandomFloats({length}, 0.5, 2, 2)),
                               Constant(RandomFloats({length}, -1, 1, 3))}};
    ExpectAgrees(test, 1e-4, 1e-5);
    test.in_place_input = 0;
    test.threads = 2;
    ExpectAgrees(test, 1e-4, 1e-5);
    test.inputs.pop_back();
    ExpectAgrees(test, 1e-4, 1e-5);
  }
}

TEST(LayerNormKernels, NormalizesOverSeveralAxes) {
  KernelCase test{.op = "LayerNormalization",
                  .inputs = {Activation(RandomFloats({3, 4, 5, 6})), Constant(RandomFloats({5, 6})),
                             Constant(RandomFloats({5, 6}))}};
  test.attributes.Set("axis", int64_t{2});
  test.attributes.Set("epsilon", 0.1f);
  ExpectAgrees(test, 1e-4, 1e-5);
}

TEST(LayerNormKernels, RootMeanSquare) {
  for (const int64_t length : {1, 17, 64, 300}) {
    ExpectAgrees({.op = "RMSNormalization",
                  .inputs = {Activation(RandomFloats({4, length})),
                             Constant(RandomFloats({length}, 0.5, 2, 2))}},
                 1e-5, 1e-6);
  }
}

TEST(LayerNormKernels, LeaveStatisticsAndBroadcastScalesToThePortableKernel) {
  KernelCase test{.op = "LayerNormalization",
                  .inputs = {Activation(RandomFloats({2, 8})), Constant(RandomFloats({1}))}};
  EXPECT_FALSE(HasKernel(test));
  test.inputs[1] = Constant(RandomFloats({8}));
  EXPECT_TRUE(HasKernel(test));
  test.num_outputs = 2;
  EXPECT_FALSE(HasKernel(test));
}

}  // namespace
}  // namespace inferd::cpu
