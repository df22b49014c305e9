#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

// The four taps of a 2x2 kernel over a 2x2 image, moved by `offset` (y, x).
OpCase Moved(std::initializer_list<float> offset, const Tensor& y,
             std::optional<Tensor> bias = std::nullopt, std::optional<Tensor> mask = std::nullopt,
             int64_t groups = 1) {
  return {.name = "DeformConv",
          .op = "DeformConv",
          .inputs = {Values<float>({1, 1, 2, 2}, {1, 2, 3, 5}),
                     Values<float>({1, 1, 2, 2}, {1, 10, 100, 1000}),
                     Values<float>({1, static_cast<int64_t>(offset.size()), 1, 1}, offset),
                     std::move(bias), std::move(mask)},
          .outputs = {y},
          .attributes = MakeAttributes({{"offset_group", groups}})};
}

Tensor Result(float value) { return Values<float>({1, 1, 1, 1}, {value}); }

TEST(DeformConv, IsAConvolutionWithoutOffsets) {
  CheckOpCase(Moved({0, 0, 0, 0, 0, 0, 0, 0}, Result(5321)));
}

TEST(DeformConv, InterpolatesBetweenPixelsAndSeesZerosOutside) {
  CheckOpCases({Moved({0.5, 0.5, 0, 0, 0, 0, 0, 0}, Result(5320 + 2.75f)),
                Moved({-0.5, 0, 0, 0, 0, 0, 0, 0}, Result(5320 + 0.5f)),
                Moved({-3, 0, 0, 0, 0, 0, 0, 0}, Result(5320)),
                Moved({std::nanf(""), 0, INFINITY, 0, 0, 0, 0, 0}, Result(5300))});
}

TEST(DeformConv, AddsTheBiasAndAppliesTheMask) {
  CheckOpCase(Moved({0, 0, 0, 0, 0, 0, 0, 0}, Result(7 + 2 * 1000 * 5), Values<float>({1}, {7}),
                    Values<float>({1, 4, 1, 1}, {0, 0, 0, 2})));
}

TEST(DeformConv, RefusesOffsetsAndMasksOfOtherShapes) {
  ExpectOpError(Moved({0, 0, 0, 0}, Result(0)), "offset has shape [1,4,1,1], expected [1,8,1,1]");
  ExpectOpError(Moved({0, 0, 0, 0, 0, 0, 0, 0}, Result(0), std::nullopt, Result(1)),
                "mask has shape");
  ExpectOpError(Moved({0, 0, 0, 0, 0, 0, 0, 0}, Result(0), std::nullopt, std::nullopt, 0),
                "offset_group is 0");
}

}  // namespace
}  // namespace inferd::testing
