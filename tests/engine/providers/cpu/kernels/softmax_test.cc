#include <limits>

#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

KernelCase Case(const char* op, Tensor x, int64_t axis, Layout layout = Layout::kRowMajor) {
  KernelCase test{.op = op, .inputs = {Activation(std::move(x), layout)}, .output_layout = layout};
  test.attributes.Set("axis", axis);
  return test;
}

TEST(SoftmaxKernels, EveryAxisOfOddShapesInBothLayouts) {
  for (const char* op : {"Softmax", "LogSoftmax"}) {
    for (int64_t axis = -4; axis < 4; ++axis) {
      for (const Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
        KernelCase test = Case(op, RandomFloats({2, 19, 3, 5}, -30.0f, 30.0f), axis, layout);
        ExpectAgrees(test, 1e-5, 1e-7);
        test.in_place_input = 0;
        ExpectAgrees(test, 1e-5, 1e-7);
      }
    }
  }
}

TEST(SoftmaxKernels, EveryRowLength) {
  for (int64_t length = 1; length < 70; ++length) {
    ExpectAgrees(Case("Softmax", RandomFloats({3, length}, -90.0f, 90.0f), 1), 1e-5, 1e-7);
  }
  ExpectAgrees(Case("Softmax", RandomFloats({2, 30001}), 1), 2e-5, 1e-9);
}

TEST(SoftmaxKernels, ZeroSizes) {
  ExpectAgrees(Case("Softmax", RandomFloats({0, 5}), 1));
  ExpectAgrees(Case("Softmax", RandomFloats({4, 0, 3}), 0));
}

TEST(SoftmaxKernels, MaskedEntriesAndWholeMaskedRows) {
  const Tensor x = Tensor::FromValues<float>(
      {3, 4}, {-kInf, 1, 2, -kInf, -kInf, -kInf, -kInf, -kInf, 1, 2, NAN, 4});
  ExpectAgrees(Case("Softmax", x, 1));
}

TEST(SoftmaxKernels, ThreadsGiveTheSameAnswer) {
  for (const int64_t axis : {1, 2}) {
    KernelCase test = Case("Softmax", RandomFloats({64, 40, 50}), axis);
    test.threads = 2;
    ExpectAgrees(test, 1e-5, 1e-7);
  }
}

}  // namespace
}  // namespace inferd::cpu
