#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Ints = std::vector<int64_t>;

OpCase Centered(const Tensor& x, std::initializer_list<int64_t> shape, const Tensor& y,
                std::optional<Ints> axes = std::nullopt) {
  OpCase op_case{.name = "CenterCropPad",
                 .op = "CenterCropPad",
                 .inputs = {x, Values<int64_t>({static_cast<int64_t>(shape.size())}, shape)},
                 .outputs = {y}};
  if (axes) op_case.attributes.Set("axes", *axes);
  return op_case;
}

TEST(CenterCropPad, CutsAndPadsWithTheOddElementAtTheEnd) {
  const Tensor x = Values<int32_t>({4}, {1, 2, 3, 4});
  CheckOpCases(
      {Centered(x, {1}, Values<int32_t>({1}, {2})), Centered(x, {2}, Values<int32_t>({2}, {2, 3})),
       Centered(x, {7}, Values<int32_t>({7}, {0, 1, 2, 3, 4, 0, 0})),
       Centered(x, {0}, Values<int32_t>({0}, {})),
       Centered(Values<std::string>({1}, {"a"}), {2}, Values<std::string>({2}, {"a", ""}))});
}

TEST(CenterCropPad, TakesSomeAxesInAnyOrder) {
  const Tensor x = Values<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  CheckOpCases({Centered(x, {1}, Values<float>({2, 1}, {2, 5}), Ints{-1}),
                Centered(x, {1, 4}, Values<float>({4, 1}, {0, 2, 5, 0}), Ints{1, 0})});
}

TEST(CenterCropPad, RefusesTargetsThatDoNotFit) {
  const Tensor x = Values<float>({2}, {1, 2});
  ExpectOpError(Centered(x, {1, 1}, x), "shape has 2 values for 1 axes");
  ExpectOpError(Centered(x, {-1}, x), "shape has -1");
  ExpectOpError(Centered(x, {int64_t{1} << 40}, x), "limit");
  ExpectOpError(Centered(x, {1, 1}, x, Ints{0, -1}), "given twice");
}

}  // namespace
}  // namespace inferd::testing
