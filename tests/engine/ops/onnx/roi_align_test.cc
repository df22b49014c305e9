#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase RoiAlign(std::initializer_list<float> roi, int64_t image, const Tensor& y) {
  return {.name = "RoiAlign",
          .op = "RoiAlign",
          .inputs = {Values<float>({1, 1, 2, 2}, {1, 2, 3, 4}), Values<float>({1, 4}, roi),
                     Values<int64_t>({1}, {image})},
          .outputs = {y},
          .attributes =
              MakeAttributes({{"coordinate_transformation_mode", std::string("output_half_pixel")},
                              {"sampling_ratio", int64_t{1}}})};
}

TEST(RoiAlign, SamplesTheMiddleOfTheRegion) {
  CheckOpCase(RoiAlign({0, 0, 1, 1}, 0, Values<float>({1, 1, 1, 1}, {2.5})));
}

TEST(RoiAlign, RefusesAnImageThatDoesNotExistAndHugeRegions) {
  const Tensor y = Values<float>({1, 1, 1, 1}, {0});
  ExpectOpError(RoiAlign({0, 0, 1, 1}, 1, y), "batch_indices has 1");
  ExpectOpError(RoiAlign({0, 0, 1e30, 1}, 0, y), "too large");
}

}  // namespace
}  // namespace inferd::testing
