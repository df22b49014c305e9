#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

constexpr Layout kBothLayouts[] = {Layout::kRowMajor, Layout::kChannelsLast};

TEST(JoinKernels, ConcatAlongEveryAxisInBothLayouts) {
  for (const Layout layout : kBothLayouts) {
    for (int64_t axis = -4; axis < 4; ++axis) {
      KernelCase test{.op = "Concat", .inputs = {}, .output_layout = layout};
      test.attributes.Set("axis", axis);
      for (uint32_t part = 0; part < 3; ++part) {
        Shape shape = {2, 3, 4, 5};
        shape[static_cast<int>((axis + 4) % 4)] = 2 * part;
        test.inputs.push_back(Activation(RandomFloats(shape, -1, 1, part), layout));
      }
      ExpectAgrees(test, 0, 0);
    }
  }
}

TEST(JoinKernels, ConcatOfIntegersAndConstants) {
  KernelCase test{.op = "Concat",
                  .inputs = {Activation(RandomInt64s({3}, 0, 9)), Constant(RandomInt64s({1}, 0, 9)),
                             Activation(RandomInt64s({2}, 0, 9))}};
  test.attributes.Set("axis", int64_t{0});
  ExpectAgrees(test);
}

TEST(JoinKernels, ConcatWithAnEpilogue) {
  KernelCase test{.op = "Concat",
                  .inputs = {Activation(RandomFloats({2, 3})), Activation(RandomFloats({2, 4}))}};
  test.attributes.Set("axis", int64_t{1});
  test.epilogue = {{"Relu", {}}};
  ExpectAgrees(test, 0, 0);
}

TEST(JoinKernels, SplitAlongEveryAxisInBothLayouts) {
  for (const Layout layout : kBothLayouts) {
    for (int64_t axis = -4; axis < 4; ++axis) {
      KernelCase test{.op = "Split",
                      .inputs = {Activation(RandomFloats({6, 6, 6, 6}), layout),
                                 Constant(Tensor::FromValues<int64_t>({3}, {1, 0, 5}))},
                      .output_layout = layout,
                      .num_outputs = 3};
      test.attributes.Set("axis", axis);
      ExpectAgrees(test, 0, 0);
    }
  }
}

TEST(JoinKernels, SplitIntoEqualParts) {
  KernelCase test{
      .op = "Split", .inputs = {Activation(RandomFloats({2, 5, 12}))}, .num_outputs = 3};
  test.attributes.Set("axis", int64_t{-1});
  test.attributes.Set("num_outputs", int64_t{3});
  ExpectAgrees(test, 0, 0);
}

}  // namespace
}  // namespace inferd::cpu
