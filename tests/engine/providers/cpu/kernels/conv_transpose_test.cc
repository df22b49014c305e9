#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"
#include "tests/engine/providers/cpu/provider_case.h"

namespace inferd::cpu {
namespace {

ProviderCase CaseOf(const Shape& x, const Shape& w, Attributes attributes) {
  const int64_t group = attributes.Int("group", 1);
  ProviderCase test("ConvTranspose", std::move(attributes));
  test.Input(RandomFloats(x, -1, 1, 1)).Constant(RandomFloats(w, -1, 1, 2));
  test.Constant(RandomFloats(Shape({w[1] * group}), -1, 1, 3));
  return test;
}

TEST(ConvTransposeKernel, AgreesOverStridesPadsAndDilations) {
  CaseOf({1, 64, 7, 7}, {64, 32, 2, 2}, AttributesOf({{"strides", Ints({2, 2})}})).ExpectAgrees();
  CaseOf({2, 3, 6, 5}, {3, 5, 4, 4},
         AttributesOf({{"strides", Ints({2, 2})}, {"pads", Ints({1, 1, 1, 1})}}))
      .ExpectAgrees();
  CaseOf({1, 16, 7, 9}, {16, 24, 3, 3},
         AttributesOf({{"strides", Ints({2, 1})}, {"pads", Ints({0, 1, 1, 2})}}))
      .ExpectAgrees();
  CaseOf({1, 16, 7, 7}, {16, 16, 3, 3},
         AttributesOf({{"strides", Ints({2, 2})}, {"dilations", Ints({2, 2})}}))
      .ExpectAgrees();
  CaseOf({1, 24, 8, 8}, {24, 1, 2, 2}, AttributesOf({{"strides", Ints({2, 2})}})).ExpectAgrees();
}

TEST(ConvTransposeKernel, AgreesWithOutputPadding) {
  for (int64_t pad : {0, 1}) {
    CaseOf({1, 16, 7, 7}, {16, 8, 3, 3},
           AttributesOf({{"strides", Ints({2, 2})},
                         {"pads", Ints({pad, pad, pad, pad})},
                         {"output_padding", Ints({1, 1})}}))
        .ExpectAgrees();
  }
}

TEST(ConvTransposeKernel, AgreesOverAutomaticPaddingAndOutputShape) {
  for (const char* auto_pad : {"SAME_UPPER", "SAME_LOWER", "VALID"}) {
    CaseOf({1, 8, 5, 6}, {8, 4, 3, 3},
           AttributesOf({{"strides", Ints({2, 2})}, {"auto_pad", std::string(auto_pad)}}))
        .ExpectAgrees();
  }
  CaseOf({1, 8, 5, 6}, {8, 4, 3, 3},
         AttributesOf({{"strides", Ints({2, 2})}, {"output_shape", Ints({10, 11})}}))
      .ExpectAgrees();
}

TEST(ConvTransposeKernel, AgreesOverGroupsAndOtherRanks) {
  CaseOf({1, 16, 7, 7}, {16, 4, 3, 3},
         AttributesOf({{"strides", Ints({2, 2})}, {"group", int64_t{4}}}))
      .ExpectAgrees();
  CaseOf({1, 16, 7, 7}, {16, 1, 3, 3},
         AttributesOf({{"strides", Ints({2, 2})}, {"group", int64_t{16}}}))
      .ExpectAgrees();
  CaseOf({2, 8, 21}, {8, 6, 4}, AttributesOf({{"strides", Ints({2})}, {"pads", Ints({1, 1})}}))
      .ExpectAgrees();
  CaseOf({1, 4, 3, 4, 5}, {4, 6, 3, 3, 3}, AttributesOf({{"strides", Ints({2, 2, 2})}}))
      .ExpectAgrees();
}

TEST(ConvTransposeKernel, AppliesEpilogues) {
  const Attributes attributes = AttributesOf({{"strides", Ints({2, 2})}});
  const auto make = [&] { return CaseOf({2, 16, 5, 5}, {16, 24, 2, 2}, attributes); };
  make().Then("Relu").ExpectAgrees();
  make().Then("Swish").ExpectAgrees();
  make().Then("HardSigmoid").ExpectAgrees();
  make().ThenWith("Add", RandomFloats({2, 24, 10, 10})).Then("Relu").ExpectAgrees();
  make().ThenWith("Mul", RandomFloats({1, 24, 1, 1}), true).ExpectAgrees();
}

TEST(ConvTransposeKernel, TakesWeightsThatAreComputed) {
  ProviderCase test("ConvTranspose", AttributesOf({{"group", int64_t{2}}}));
  test.Input(RandomFloats({1, 16, 9, 9})).Input(RandomFloats({16, 12, 3, 3}, -1, 1, 2));
  test.ExpectAgrees();
}

}  // namespace
}  // namespace inferd::cpu
