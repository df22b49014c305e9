#include <vector>

#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"
#include "tests/engine/providers/cpu/provider_case.h"

namespace inferd::cpu {
namespace {

struct JoinedShape {
  int64_t batch = 1;
  std::vector<int64_t> channels;
  int64_t height = 5;
  int64_t width = 7;
  int64_t outputs = 20;
};

ProviderCase CaseOf(const JoinedShape& shape, bool bias, bool relu) {
  int64_t channels = 0;
  for (const int64_t each : shape.channels) channels += each;
  ProviderCase test("JoinedConv", relu ? AttributesOf({{"low", 0.0f}}) : Attributes());
  test.Constant(RandomFloats({shape.outputs, channels, 1, 1}, -1, 1, 1));
  if (bias) {
    test.Constant(RandomFloats({shape.outputs}, -1, 1, 2));
  } else {
    test.Absent();
  }
  test.Constant(RandomFloats({channels, 1, 1}, -2, 2, 3));
  test.Constant(RandomFloats({1, channels, 1, 1}, -2, 2, 4));
  for (size_t i = 0; i < shape.channels.size(); ++i) {
    test.Input(RandomFloats({shape.batch, shape.channels[i], shape.height, shape.width}, -2, 2,
                            10 + static_cast<uint32_t>(i)));
  }
  return test;
}

TEST(JoinedConvKernel, AgreesForPartsOfAnyNumberOfChannels) {
  for (const std::vector<int64_t>& channels :
       {std::vector<int64_t>{3}, {1, 40}, {16, 17, 32}, {64, 32, 32, 32}}) {
    for (const int threads : {1, 2}) {
      ProviderCase test = CaseOf({.batch = 2, .channels = channels}, false, true);
      test.threads = threads;
      EXPECT_EQ(test.ExpectAgrees(), "simd:joined panels");
    }
  }
}

TEST(JoinedConvKernel, AgreesWhereBlocksOfRowsEndInTheMiddleOfImages) {
  for (const int64_t batch : {1, 3}) {
    CaseOf({.batch = batch, .channels = {24}, .height = 11, .width = 13}, true, false)
        .ExpectAgrees();
  }
}

TEST(JoinedConvKernel, AppliesItsEpilogue) {
  ProviderCase test = CaseOf({.batch = 2, .channels = {32}, .outputs = 100}, true, false);
  test.ThenWith("Add", RandomFloats({2, 100, 5, 7}, -1, 1, 7)).Then("Relu");
  EXPECT_EQ(test.ExpectAgrees(), "simd:joined panels+Add+Relu");
  ProviderCase swish = CaseOf({.channels = {32}}, true, false);
  swish.Then("Swish");
  swish.ExpectAgrees();
}

}  // namespace
}  // namespace inferd::cpu
