#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

constexpr Layout kBothLayouts[] = {Layout::kRowMajor, Layout::kChannelsLast};

KernelCase Case(const Shape& shape, const std::vector<float>& scales, const char* mode,
                const char* coordinates, Layout layout) {
  KernelCase test{.op = "Resize",
                  .inputs = {Activation(RandomFloats(shape), layout), Activation(Tensor()),
                             Constant(Tensor::FromValues<float>(
                                 {static_cast<int64_t>(scales.size())}, scales))},
                  .output_layout = layout};
  test.attributes.Set("mode", std::string(mode));
  test.attributes.Set("coordinate_transformation_mode", std::string(coordinates));
  return test;
}

TEST(ResizeKernels, EveryModeAndCoordinateRuleInBothLayouts) {
  for (const Layout layout : kBothLayouts) {
    for (const char* mode : {"nearest", "linear", "cubic"}) {
      for (const char* coordinates :
           {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}) {
        for (const auto& scales : std::vector<std::vector<float>>{
                 {1, 1, 2, 2}, {1, 1, 0.6f, 1.7f}, {1, 1, 1, 3}, {1, 1, 4, 1}}) {
          ExpectAgrees(Case({2, 5, 7, 9}, scales, mode, coordinates, layout), 1e-5, 1e-5);
        }
      }
    }
  }
}

TEST(ResizeKernels, SizesAndSequences) {
  for (const Layout layout : kBothLayouts) {
    KernelCase test = Case({1, 19, 8, 6}, {}, "linear", "half_pixel", layout);
    test.inputs[2] = Activation(Tensor());
    test.inputs.push_back(Constant(Tensor::FromValues<int64_t>({4}, {1, 19, 13, 3})));
    test.threads = 2;
    ExpectAgrees(test, 1e-5, 1e-5);
    ExpectAgrees(Case({2, 5, 9}, {1, 1, 2}, "linear", "asymmetric", layout), 1e-5, 1e-5);
    ExpectAgrees(Case({2, 5, 9}, {1, 1, 2}, "nearest", "asymmetric", layout), 0, 0);
  }
}

TEST(ResizeKernels, NearestOfEveryElementSize) {
  KernelCase test = Case({1, 2, 5, 6}, {1, 1, 2, 2}, "nearest", "asymmetric", Layout::kRowMajor);
  test.attributes.Set("nearest_mode", std::string("floor"));
  ExpectAgrees(test, 0, 0);
  test.inputs[0] = Activation(RandomInt64s({1, 2, 5, 6}, 0, 99));
  ExpectAgrees(test);
}

TEST(ResizeKernels, LeaveOtherAxesToThePortableKernel) {
  EXPECT_FALSE(
      HasKernel(Case({2, 5, 7, 9}, {1, 2, 1, 1}, "nearest", "asymmetric", Layout::kRowMajor)));
  EXPECT_TRUE(
      HasKernel(Case({2, 5, 7, 9}, {1, 1, 2, 2}, "nearest", "asymmetric", Layout::kRowMajor)));
}

}  // namespace
}  // namespace inferd::cpu
