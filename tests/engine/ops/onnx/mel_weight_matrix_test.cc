#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Mel(int64_t bands, int64_t length, int64_t rate, float lower, float upper, const Tensor& y) {
  return {.name = "MelWeightMatrix",
          .op = "MelWeightMatrix",
          .inputs = {Values<int64_t>({}, {bands}), Values<int64_t>({}, {length}),
                     Values<int64_t>({}, {rate}), Values<float>({}, {lower}),
                     Values<float>({}, {upper})},
          .outputs = {y}};
}

TEST(MelWeightMatrix, PutsTrianglesOverTheSpectrum) {
  // The edges are bins 0, 0 and 1: the only band is the first bin.
  CheckOpCase(Mel(1, 4, 8000, 0, 4000, Values<float>({3, 1}, {1, 0, 0})));
}

TEST(MelWeightMatrix, CutsBandsBehindTheSpectrum) {
  const auto run = RunPortableKernel(Mel(3, 8, 100, 0, 4000, Values<float>({0}, {})));
  ASSERT_TRUE(run.ok()) << run.status();
}

TEST(MelWeightMatrix, RefusesFrequenciesThatMakeNoSense) {
  const Tensor y = Values<float>({1}, {0});
  ExpectOpError(Mel(1, 4, 0, 0, 1, y), "sample_rate is 0");
  ExpectOpError(Mel(1, 4, 8, 2, 1, y), "is above upper_edge_hertz");
  ExpectOpError(Mel(1, 4, 8, -2, 1, y), "lower_edge_hertz");
  ExpectOpError(Mel(int64_t{1} << 39, 1 << 20, 8, 0, 1, y), "");
}

}  // namespace
}  // namespace inferd::testing
