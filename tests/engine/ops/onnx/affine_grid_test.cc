#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Grid(const Tensor& theta, std::initializer_list<int64_t> size, const Tensor& y,
            int64_t align_corners = 0) {
  return {.name = "AffineGrid",
          .op = "AffineGrid",
          .inputs = {theta, Values<int64_t>({static_cast<int64_t>(size.size())}, size)},
          .outputs = {y},
          .attributes = MakeAttributes({{"align_corners", align_corners}})};
}

const Tensor Same() { return Values<float>({1, 2, 3}, {1, 0, 0, 0, 1, 0}); }

TEST(AffineGrid, SpansTheImageFromEdgeToEdgeOrFromCentreToCentre) {
  CheckOpCases(
      {Grid(Same(), {1, 1, 1, 2}, Values<float>({1, 1, 2, 2}, {-0.5, 0, 0.5, 0})),
       Grid(Same(), {1, 1, 2, 2}, Values<float>({1, 2, 2, 2}, {-1, -1, 1, -1, -1, 1, 1, 1}), 1),
       Grid(Values<double>({1, 2, 3}, {2, 0, 1, 0, 1, 3}), {1, 1, 1, 2},
            Values<double>({1, 1, 2, 2}, {0, 3, 2, 3}))});
}

TEST(AffineGrid, KnowsVolumes) {
  CheckOpCase(Grid(Values<float>({1, 3, 4}, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 5}), {1, 1, 1, 1, 2},
                   Values<float>({1, 1, 1, 2, 3}, {-0.5, 0, 5, 0.5, 0, 5})));
}

TEST(AffineGrid, RefusesSizesThatDoNotFit) {
  ExpectOpError(Grid(Same(), {1, 1, 1}, Same()), "size has 3 values");
  ExpectOpError(Grid(Same(), {2, 1, 1, 1}, Same()), "expected [2,2,3]");
  ExpectOpError(Grid(Same(), {1, 1, -1, 1}, Same()), "size");
  ExpectOpError(Grid(Same(), {1, 1, 1 << 20, 1 << 20}, Same()), "limit");
}

}  // namespace
}  // namespace inferd::testing
