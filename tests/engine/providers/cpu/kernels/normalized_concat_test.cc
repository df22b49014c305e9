#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

KernelCase CaseOf(std::vector<int64_t> channels, Layout layout) {
  KernelCase test;
  test.op = "Concat";
  test.attributes.Set("axis", int64_t{1});
  int64_t sum = 0;
  for (const int64_t each : channels) {
    test.inputs.push_back(
        Activation(RandomFloats({2, each, 3, 5}, -2, 2, static_cast<uint32_t>(sum)), layout));
    sum += each;
  }
  test.output_layout = layout;
  test.epilogue.push_back({.op = "Mul",
                           .attributes = Attributes(),
                           .operand = RandomFloats({sum, 1, 1}, -2, 2, 90),
                           .constant = true});
  test.epilogue.push_back({.op = "Add",
                           .attributes = Attributes(),
                           .operand = RandomFloats({1, sum, 1, 1}, -2, 2, 91),
                           .constant = true});
  return test;
}

TEST(NormalizedConcatKernel, AgreesForChannelsOfAnyNumberInEitherOrder) {
  for (const Layout layout : {Layout::kChannelsLast, Layout::kRowMajor}) {
    for (const std::vector<int64_t>& channels :
         {std::vector<int64_t>{3}, {1, 40}, {16, 17, 32}, {5, 5, 5, 64}}) {
      KernelCase test = CaseOf(channels, layout);
      ExpectAgrees(test);
      test.epilogue.push_back({.op = "Relu", .attributes = Attributes()});
      ExpectAgrees(test);
      test.threads = 2;
      ExpectAgrees(test);
    }
  }
}

}  // namespace
}  // namespace inferd::cpu
