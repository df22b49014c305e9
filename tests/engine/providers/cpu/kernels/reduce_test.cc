#include <limits>

#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

KernelCase Case(const char* op, Tensor x, const std::vector<int64_t>& axes, bool keep,
                Layout layout = Layout::kRowMajor) {
  KernelCase test{
      .op = op,
      .inputs = {Activation(std::move(x), layout),
                 Constant(Tensor::FromValues<int64_t>({static_cast<int64_t>(axes.size())}, axes))}};
  test.attributes.Set("keepdims", int64_t{keep ? 1 : 0});
  if (keep) test.output_layout = layout;
  return test;
}

TEST(ReduceKernels, EveryRunOfAxes) {
  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceSumSquare",
                         "ReduceL1", "ReduceL2"}) {
    for (const auto& axes : std::vector<std::vector<int64_t>>{
             {0}, {1}, {2}, {3}, {0, 1}, {1, 2}, {2, 3}, {-1, -2}, {1, 2, 3}, {0, 1, 2, 3}}) {
      for (const bool keep : {false, true}) {
        ExpectAgrees(Case(op, RandomFloats({3, 19, 5, 70}), axes, keep), 1e-5, 1e-5);
      }
    }
  }
}

TEST(ReduceKernels, ChannelsLastOverSpaceAndOverChannels) {
  for (const auto& axes : std::vector<std::vector<int64_t>>{{2, 3}, {1}, {3}, {0}}) {
    ExpectAgrees(
        Case("ReduceMean", RandomFloats({2, 35, 13, 11}), axes, true, Layout::kChannelsLast));
  }
}

TEST(ReduceKernels, GlobalPoolsInBothLayouts) {
  for (const char* op : {"GlobalAveragePool", "GlobalMaxPool"}) {
    for (const Shape& shape :
         std::vector<Shape>{{2, 35, 7, 7}, {1, 130, 9}, {3, 16, 2, 3, 4}, {1, 5, 100, 101}}) {
      for (const Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
        KernelCase test{.op = op,
                        .inputs = {Activation(RandomFloats(shape), layout)},
                        .output_layout = layout,
                        .threads = 2};
        ExpectAgrees(test, 1e-5, 1e-6);
      }
    }
  }
}

TEST(ReduceKernels, NanAndInfinitiesReachTheResult) {
  const float inf = std::numeric_limits<float>::infinity();
  Tensor x = RandomFloats({3, 40});
  x.mutable_data<float>()[7] = NAN;
  x.mutable_data<float>()[50] = inf;
  x.mutable_data<float>()[119] = -inf;
  for (const char* op : {"ReduceMax", "ReduceMin", "ReduceMean"}) {
    ExpectAgrees(Case(op, x, {1}, false));
    ExpectAgrees(Case(op, x, {0}, false));
  }
}

TEST(ReduceKernels, LongSumsStayPrecise) {
  const Tensor x = RandomFloats({200000, 3}, 0.0f, 1.0f);
  ExpectAgrees(Case("ReduceMean", x, {0}, false), 2e-6, 0);
  ExpectAgrees(Case("ReduceMean", x.Reshaped({3, 200000}), {1}, false), 2e-6, 0);
}

TEST(ReduceKernels, NeedConstantNeighbouringAxes) {
  EXPECT_FALSE(HasKernel(Case("ReduceSum", RandomFloats({2, 3, 4}), {0, 2}, true)));
  KernelCase test = Case("ReduceSum", RandomFloats({2, 3, 4}), {0}, true);
  EXPECT_TRUE(HasKernel(test));
  test.inputs[1].constant = false;
  EXPECT_FALSE(HasKernel(test));
}

}  // namespace
}  // namespace inferd::cpu
