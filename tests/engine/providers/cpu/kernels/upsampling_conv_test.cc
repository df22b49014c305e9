#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

KernelCase Case(const Shape& input, const Shape& weights, bool bias) {
  KernelCase test{.op = "ConvTranspose",
                  .inputs = {Activation(RandomFloats(input), Layout::kChannelsLast),
                             Constant(RandomFloats(weights, -1, 1, 2))},
                  .output_layout = Layout::kChannelsLast};
  if (bias) test.inputs.push_back(Constant(RandomFloats({weights[1]}, -1, 1, 3)));
  test.attributes.Set("strides", std::vector<int64_t>{weights[2], weights[3]});
  return test;
}

TEST(UpsamplingConvKernels, WindowsThatDoNotOverlap) {
  ExpectAgrees(Case({2, 24, 5, 7}, {24, 24, 2, 2}, true), 1e-5, 1e-5);
  ExpectAgrees(Case({1, 24, 6, 9}, {24, 1, 2, 2}, true), 1e-5, 1e-5);
  ExpectAgrees(Case({1, 3, 4, 1}, {3, 17, 3, 2}, false), 1e-5, 1e-5);
  ExpectAgrees(Case({1, 5, 3, 3}, {5, 70, 1, 4}, true), 1e-5, 1e-5);
}

TEST(UpsamplingConvKernels, EpilogueAndThreads) {
  KernelCase test = Case({2, 20, 30, 31}, {20, 10, 2, 2}, true);
  test.epilogue = {{"Relu", {}}, {"Mul", {}, RandomFloats({10, 1, 1}, 1, 2, 4)}};
  test.threads = 2;
  ExpectAgrees(test, 1e-5, 1e-5);
}

}  // namespace
}  // namespace inferd::cpu
