#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Ints = std::vector<int64_t>;

OpCase Pooled(std::initializer_list<float> roi, const Tensor& y, Ints pooled = {1, 2},
              float scale = 1) {
  return {.name = "MaxRoiPool",
          .op = "MaxRoiPool",
          .inputs = {Values<float>({1, 1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}),
                     Values<float>({1, static_cast<int64_t>(roi.size())}, roi)},
          .outputs = {y},
          .attributes = MakeAttributes({{"pooled_shape", pooled}, {"spatial_scale", scale}})};
}

TEST(MaxRoiPool, TakesTheLargestElementOfEachBin) {
  CheckOpCases({Pooled({0, 0, 0, 3, 1}, Values<float>({1, 1, 1, 2}, {6, 8})),
                Pooled({0, 0, 0, 6, 0}, Values<float>({1, 1, 1, 2}, {2, 4}), {1, 2}, 0.5f),
                // Regions reach outside of the image: bins there are 0.
                Pooled({0, 2, 1, 9, 9}, Values<float>({1, 1, 1, 2}, {8, 0}))});
}

TEST(MaxRoiPool, RefusesRegionsOfImagesThatAreNotThere) {
  const Tensor y = Values<float>({1}, {0});
  ExpectOpError(Pooled({1, 0, 0, 1, 1}, y), "region of image 1");
  ExpectOpError(Pooled({0, 0, 0, INFINITY, 1}, y), "finite");
  ExpectOpError(Pooled({0, 0, 0, 1}, y), "expected [N,C,H,W] and [R,5]");
  ExpectOpError(Pooled({0, 0, 0, 1, 1}, y, {1}), "pooled_shape");
}

}  // namespace
}  // namespace inferd::testing
