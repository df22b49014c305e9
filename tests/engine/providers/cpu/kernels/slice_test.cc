#include <limits>

#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

using Integers = std::vector<int64_t>;

KernelCase Case(Tensor x, const Integers& starts, const Integers& ends, const Integers& axes,
                const Integers& steps, Layout layout = Layout::kRowMajor) {
  KernelCase test{
      .op = "Slice", .inputs = {Activation(std::move(x), layout)}, .output_layout = layout};
  for (const Integers& list : {starts, ends, axes, steps}) {
    test.inputs.push_back(list.empty() ? Activation(Tensor())
                                       : Constant(Tensor::FromValues<int64_t>(
                                             {static_cast<int64_t>(list.size())}, list)));
  }
  return test;
}

TEST(SliceKernels, StepsForwardAndBackwardInBothLayouts) {
  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  constexpr int64_t kBegin = std::numeric_limits<int64_t>::min();
  for (const Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
    const Tensor x = RandomFloats({3, 9, 8, 7});
    ExpectAgrees(Case(x, {1, 2}, {3, -1}, {}, {}, layout), 0, 0);
    ExpectAgrees(Case(x, {0, 0}, {kEnd, kEnd}, {2, 3}, {2, 3}, layout), 0, 0);
    ExpectAgrees(Case(x, {-1}, {kBegin}, {1}, {-1}, layout), 0, 0);
    ExpectAgrees(Case(x, {100, -2}, {-100, 100}, {3, 0}, {-2, 1}, layout), 0, 0);
    ExpectAgrees(Case(x, {5}, {2}, {1}, {1}, layout), 0, 0);
    ExpectAgrees(Case(x, {1}, {kEnd}, {1}, {kEnd}, layout), 0, 0);
    ExpectAgrees(Case(x, {-1}, {kBegin}, {1}, {kBegin}, layout), 0, 0);
  }
}

TEST(SliceKernels, TakeEveryElementSize) {
  ExpectAgrees(Case(RandomInt64s({20}, 0, 99), {3}, {17}, {0}, {4}));
  Tensor bytes = Tensor::Allocate(DType::kUint8, {4, 9}).value();
  for (int i = 0; i < 36; ++i) bytes.mutable_data<uint8_t>()[i] = static_cast<uint8_t>(i);
  ExpectAgrees(Case(bytes, {1}, {9}, {1}, {3}));
}

TEST(SliceKernels, NeedConstantBounds) {
  KernelCase test = Case(RandomFloats({9}), {1}, {5}, {0}, {1});
  EXPECT_TRUE(HasKernel(test));
  test.inputs[1].constant = false;
  EXPECT_FALSE(HasKernel(test));
}

}  // namespace
}  // namespace inferd::cpu
