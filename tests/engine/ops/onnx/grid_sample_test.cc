#include <complex>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

// Samples the row [10, 20, 30] at x positions given as grid coordinates.
OpCase Sample(std::initializer_list<float> xs, const Tensor& y, Pairs attributes = {}) {
  std::vector<float> grid;
  for (float x : xs) {
    grid.push_back(x);
    grid.push_back(0);
  }
  attributes.push_back({"align_corners", int64_t{1}});
  const int64_t count = static_cast<int64_t>(xs.size());
  return {.name = "GridSample",
          .op = "GridSample",
          .inputs = {Values<float>({1, 1, 1, 3}, {10, 20, 30}),
                     Tensor::FromValues<float>({1, 1, count, 2}, grid)},
          .outputs = {y},
          .attributes = MakeAttributes(std::move(attributes)),
          .absolute_tolerance = 1e-5};
}

TEST(GridSample, InterpolatesAndPads) {
  CheckOpCases(
      {Sample({-1, 0.5, 1}, Values<float>({1, 1, 1, 3}, {10, 25, 30})),
       Sample({2, -1.5}, Values<float>({1, 1, 1, 2}, {0, 5})),
       Sample({2}, Values<float>({1, 1, 1, 1}, {30}), {{"padding_mode", std::string("border")}}),
       Sample({2}, Values<float>({1, 1, 1, 1}, {20}),
              {{"padding_mode", std::string("reflection")}}),
       Sample({0.6}, Values<float>({1, 1, 1, 1}, {30}), {{"mode", std::string("nearest")}})});
}

// Of a row of two, the middle, the second element and what lies outside.
OpCase SampleAs(const Tensor& x, const Tensor& y, const char* mode) {
  return {
      .name = "GridSample",
      .op = "GridSample",
      .inputs = {x, Values<float>({1, 1, 3, 2}, {0, 0, 1, 0, 5, 0})},
      .outputs = {y},
      .attributes = MakeAttributes({{"align_corners", int64_t{1}}, {"mode", std::string(mode)}})};
}

TEST(GridSample, TakesEveryType) {
  using Complex = std::complex<float>;
  CheckOpCases({SampleAs(Values<int8_t>({1, 1, 1, 2}, {7, 10}),
                         Values<int8_t>({1, 1, 1, 3}, {8, 10, 0}), "linear"),
                SampleAs(Values<bool>({1, 1, 1, 2}, {false, true}),
                         Values<bool>({1, 1, 1, 3}, {true, true, false}), "linear"),
                SampleAs(Values<Complex>({1, 1, 1, 2}, {{1, 2}, {3, 4}}),
                         Values<Complex>({1, 1, 1, 3}, {{2, 3}, {3, 4}, {0, 0}}), "linear"),
                SampleAs(Values<std::string>({1, 1, 1, 2}, {"a", "b"}),
                         Values<std::string>({1, 1, 1, 3}, {"a", "b", ""}), "nearest")});
  const Tensor text = Values<std::string>({1, 1, 1, 2}, {"a", "b"});
  ExpectOpError(SampleAs(text, text, "linear"), "must be nearest");
}

TEST(GridSample, SurvivesNanAndInfinity) {
  CheckOpCase(Sample({std::nanf(""), INFINITY}, Values<float>({1, 1, 1, 2}, {0, 0})));
}

}  // namespace
}  // namespace inferd::testing
