#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

KernelCase Case(const Shape& shape, Layout layout) {
  const int64_t channels = shape[1];
  return {.op = "BatchNormalization",
          .inputs = {Activation(RandomFloats(shape), layout),
                     Constant(RandomFloats({channels}, 0.5, 2, 2)),
                     Constant(RandomFloats({channels}, -1, 1, 3)),
                     Constant(RandomFloats({channels}, -1, 1, 4)),
                     Constant(RandomFloats({channels}, 0.1, 2, 5))},
          .output_layout = layout};
}

TEST(BatchNormKernels, EveryRankInBothLayouts) {
  for (const Shape& shape : std::vector<Shape>{
           {3, 7}, {2, 5, 9}, {2, 19, 13, 11}, {1, 300, 5, 5}, {2, 3, 4, 5, 6}, {0, 3, 2, 2}}) {
    ExpectAgrees(Case(shape, Layout::kRowMajor));
    if (shape.rank() >= 3) ExpectAgrees(Case(shape, Layout::kChannelsLast));
  }
}

TEST(BatchNormKernels, EpilogueInPlaceWithThreads) {
  for (const Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
    KernelCase test = Case({2, 24, 60, 61}, layout);
    test.epilogue = {{"Relu", {}},
                     {"Add", {}, RandomFloats({2, 24, 60, 61}, -1, 1, 9), false, layout}};
    test.in_place_input = 0;
    test.threads = 2;
    ExpectAgrees(test);
  }
}

TEST(BatchNormKernels, LeaveTrainingToThePortableKernel) {
  KernelCase test = Case({2, 3, 4}, Layout::kRowMajor);
  EXPECT_TRUE(HasKernel(test));
  test.attributes.Set("training_mode", int64_t{1});
  EXPECT_FALSE(HasKernel(test));
}

}  // namespace
}  // namespace inferd::cpu
