#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Ints = std::vector<int64_t>;
using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

OpCase Scaled(const Tensor& x, std::initializer_list<float> scales, const Tensor& y,
              Pairs attributes = {}) {
  return {.name = "Resize",
          .op = "Resize",
          .inputs = {x, std::nullopt, Values<float>({static_cast<int64_t>(scales.size())}, scales)},
          .outputs = {y},
          .attributes = MakeAttributes(std::move(attributes))};
}

OpCase Sized(const Tensor& x, std::initializer_list<int64_t> sizes, const Tensor& y,
             Pairs attributes = {}) {
  return {.name = "Resize",
          .op = "Resize",
          .inputs = {x, std::nullopt, std::nullopt,
                     Values<int64_t>({static_cast<int64_t>(sizes.size())}, sizes)},
          .outputs = {y},
          .attributes = MakeAttributes(std::move(attributes))};
}

const Attributes::Value kLinear = std::string("linear");

TEST(Resize, RepeatsTheNearestElementOfAnyType) {
  CheckOpCases(
      {Scaled(Values<int32_t>({2}, {1, 2}), {2}, Values<int32_t>({4}, {1, 1, 2, 2})),
       Sized(Values<std::string>({2}, {"a", "b"}), {3}, Values<std::string>({3}, {"a", "a", "b"})),
       Sized(Values<float>({2, 2}, {1, 2, 3, 4}), {2, 4},
             Values<float>({2, 4}, {1, 1, 2, 2, 3, 3, 4, 4}))});
}

TEST(Resize, InterpolatesByEveryCoordinateMode) {
  const Tensor x = Values<float>({2}, {0, 10});
  const auto mode = [](const char* name) {
    return Pairs{{"mode", kLinear}, {"coordinate_transformation_mode", std::string(name)}};
  };
  CheckOpCases({Scaled(x, {2}, Values<float>({4}, {0, 2.5, 7.5, 10}), mode("half_pixel")),
                Scaled(x, {2}, Values<float>({4}, {0, 2.5, 7.5, 10}), mode("pytorch_half_pixel")),
                Scaled(x, {2}, Values<float>({4}, {0, 5, 10, 10}), mode("asymmetric")),
                Sized(x, {3}, Values<float>({3}, {0, 5, 10}), mode("align_corners"))});
}

TEST(Resize, ExtrapolatesOutsideTheRegion) {
  OpCase op_case = Sized(Values<float>({3}, {1, 2, 3}), {3}, Values<float>({3}, {-1, 2, -1}),
                         {{"mode", kLinear},
                          {"coordinate_transformation_mode", std::string("tf_crop_and_resize")},
                          {"extrapolation_value", -1.0f}});
  op_case.inputs[1] = Values<float>({2}, {-0.5, 1.5});
  CheckOpCase(op_case);
}

TEST(Resize, AveragesWhenItShrinksWithAntialiasing) {
  CheckOpCase(Sized(Values<float>({4}, {0, 0, 8, 8}), {2}, Values<float>({2}, {1, 7}),
                    {{"mode", kLinear}, {"antialias", int64_t{1}}}));
}

TEST(Resize, KeepsTheAspectRatioOverTheChosenAxes) {
  const Tensor x = Values<float>({1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  CheckOpCases(
      {Sized(x, {4, 4}, Values<float>({1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}),
             {{"axes", Ints{1, 2}}, {"keep_aspect_ratio_policy", std::string("not_larger")}})});
}

TEST(Resize, KnowsTheUnshiftedHalfPixelsOfTensorFlow) {
  CheckOpCase(Scaled(Values<float>({4}, {1, 2, 3, 4}), {0.5f}, Values<float>({2}, {2, 4}),
                     {{"coordinate_transformation_mode", std::string("tf_half_pixel_for_nn")},
                      {"nearest_mode", std::string("floor")}}));
}

TEST(Resize, RefusesTargetsThatDoNotFit) {
  const Tensor x = Values<float>({2}, {1, 2});
  ExpectOpError(Scaled(x, {1, 1}, x), "scales has 2 values");
  ExpectOpError(Scaled(x, {-1}, x), "scales has -1");
  ExpectOpError(Sized(x, {-2}, x), "sizes has -2");
  ExpectOpError(Sized(x, {int64_t{1} << 40}, x), "limit");
  ExpectOpError(Sized(x, {2}, x, {{"mode", std::string("best")}}), "mode is \"best\"");
  ExpectOpError(Sized(Values<float>({0}, {}), {2}, x), "empty");
}

}  // namespace
}  // namespace inferd::testing
