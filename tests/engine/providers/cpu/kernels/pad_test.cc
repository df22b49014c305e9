#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

KernelCase Case(const std::vector<int64_t>& pads, Layout layout) {
  return {
      .op = "Pad",
      .inputs = {Activation(RandomFloats({2, 3, 5, 7}), layout),
                 Constant(Tensor::FromValues<int64_t>({static_cast<int64_t>(pads.size())}, pads))},
      .output_layout = layout};
}

TEST(PadKernels, AddAndRemoveInBothLayouts) {
  for (const Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
    for (const auto& pads : std::vector<std::vector<int64_t>>{{0, 0, 1, 2, 0, 0, 3, 4},
                                                              {1, 2, 0, 0, 3, 1, 0, 0},
                                                              {0, 0, -1, 2, 0, 0, 3, -4},
                                                              {0, -3, 0, 0, 0, 2, 0, 0},
                                                              {0, 0, 0, 0, 0, 0, 0, 0}}) {
      KernelCase test = Case(pads, layout);
      ExpectAgrees(test, 0, 0);
      test.inputs.push_back(Constant(Tensor::Scalar(1.5f)));
      ExpectAgrees(test, 0, 0);
    }
    KernelCase test = Case({1, 2}, layout);
    test.inputs.push_back(Activation(Tensor()));
    test.inputs.push_back(Constant(Tensor::FromValues<int64_t>({1}, {-2})));
    ExpectAgrees(test, 0, 0);
  }
}

TEST(PadKernels, LeaveOtherModesToThePortableKernel) {
  KernelCase test = Case({0, 0, 1, 1, 0, 0, 1, 1}, Layout::kRowMajor);
  test.attributes.Set("mode", std::string("reflect"));
  EXPECT_FALSE(HasKernel(test));
}

}  // namespace
}  // namespace inferd::cpu
