#include "engine/providers/cpu/cpu_provider.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"
#include "tests/engine/providers/cpu/provider_case.h"

namespace inferd::cpu {
namespace {

ProviderCase CaseOf(const std::string& op, const Shape& x, Attributes attributes) {
  ProviderCase test(op, std::move(attributes));
  test.Input(RandomFloats(x));
  return test;
}

Attributes Window2d(int64_t kernel, int64_t stride, std::vector<int64_t> pads) {
  return AttributesOf({{"kernel_shape", Ints({kernel, kernel})},
                       {"strides", Ints({stride, stride})},
                       {"pads", std::move(pads)}});
}

TEST(PoolKernel, AgreesOverShapesStridesAndPads) {
  for (const char* op : {"MaxPool", "AveragePool"}) {
    for (int64_t channels : {1, 3, 16, 17}) {
      const Shape x({2, channels, 13, 11});
      CaseOf(op, x, Window2d(2, 2, {0, 0, 0, 0})).ExpectAgrees();
      CaseOf(op, x, Window2d(3, 2, {1, 1, 1, 1})).ExpectAgrees();
      CaseOf(op, x, Window2d(3, 1, {0, 1, 2, 0})).ExpectAgrees();
      CaseOf(op, x, Window2d(5, 3, {2, 2, 2, 2})).ExpectAgrees();
    }
    CaseOf(op, {1, 8, 30}, AttributesOf({{"kernel_shape", Ints({4})}, {"strides", Ints({3})}}))
        .ExpectAgrees();
    CaseOf(op, {1, 8, 5, 6, 7}, AttributesOf({{"kernel_shape", Ints({2, 3, 2})}})).ExpectAgrees();
  }
}

TEST(PoolKernel, AgreesWithCeilMode) {
  for (const char* op : {"MaxPool", "AveragePool"}) {
    for (int64_t size : {9, 10, 11, 12}) {
      for (int64_t pad : {0, 1}) {
        Attributes attributes = Window2d(3, 2, {pad, pad, pad, pad});
        attributes.Set("ceil_mode", int64_t{1});
        CaseOf(op, {1, 16, size, size + 1}, attributes).ExpectAgrees();
        attributes = Window2d(2, 3, {0, 0, 0, 0});
        attributes.Set("ceil_mode", int64_t{1});
        CaseOf(op, {1, 5, size, size + 1}, attributes).ExpectAgrees();
      }
    }
  }
}

TEST(PoolKernel, CountsPaddingWhenAsked) {
  Attributes attributes = Window2d(3, 2, {1, 1, 1, 1});
  attributes.Set("count_include_pad", int64_t{1});
  CaseOf("AveragePool", {1, 16, 10, 9}, attributes).ExpectAgrees();
}

TEST(PoolKernel, LeavesPadsAsWideAsTheKernelToThePortableKernel) {
  ProviderCase test = CaseOf("AveragePool", {1, 4, 5, 5}, Window2d(3, 1, {0, 3, 0, 0}));
  EXPECT_FALSE(test.Supported(*MakeCpuProvider()));
}

TEST(PoolKernel, ResolvesAutomaticPadding) {
  for (const char* auto_pad : {"SAME_UPPER", "SAME_LOWER", "VALID"}) {
    for (const char* op : {"MaxPool", "AveragePool"}) {
      CaseOf(op, {1, 8, 10, 13},
             AttributesOf({{"kernel_shape", Ints({3, 2})},
                           {"strides", Ints({2, 2})},
                           {"auto_pad", std::string(auto_pad)}}))
          .ExpectAgrees();
    }
  }
}

TEST(PoolKernel, PoolsGlobally) {
  for (const char* op : {"GlobalMaxPool", "GlobalAveragePool"}) {
    CaseOf(op, {2, 20, 7, 7}, Attributes()).ExpectAgrees();
    CaseOf(op, {1, 3, 30}, Attributes()).ExpectAgrees();
    CaseOf(op, {1, 3, 4, 5, 6}, Attributes()).ExpectAgrees();
  }
}

TEST(PoolKernel, ReordersValuesThatAreStoredRowMajor) {
  CaseOf("MaxPool", {2, 16, 9, 9}, Window2d(3, 2, {1, 1, 1, 1})).KeepRowMajor().ExpectAgrees();
}

TEST(PoolKernel, LeavesDilationsAndCountedCeilingToOthers) {
  const auto provider = MakeCpuProvider();
  Attributes dilated = Window2d(3, 1, {0, 0, 0, 0});
  dilated.Set("dilations", Ints({2, 2}));
  EXPECT_FALSE(CaseOf("MaxPool", {1, 8, 9, 9}, dilated).Supported(*provider));
  Attributes counted = Window2d(3, 2, {1, 1, 1, 1});
  counted.Set("ceil_mode", int64_t{1});
  counted.Set("count_include_pad", int64_t{1});
  EXPECT_FALSE(CaseOf("AveragePool", {1, 8, 9, 9}, counted).Supported(*provider));
}

}  // namespace
}  // namespace inferd::cpu
