#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase TopK(const Tensor& x, int64_t k, int64_t largest, const Tensor& values,
            const Tensor& indices) {
  return {.op = "TopK",
          .inputs = {x, Values<int64_t>({1}, {k})},
          .outputs = {values, indices},
          .attributes = MakeAttributes({{"largest", largest}})};
}

TEST(TopK, SortsAndPrefersTheLowerIndex) {
  const Tensor x = Values<int32_t>({2, 4}, {1, 3, 3, 2, 5, 5, 5, 5});
  CheckOpCases(
      {TopK(x, 2, 1, Values<int32_t>({2, 2}, {3, 3, 5, 5}), Values<int64_t>({2, 2}, {1, 2, 0, 1})),
       TopK(x, 3, 0, Values<int32_t>({2, 3}, {1, 2, 3, 5, 5, 5}),
            Values<int64_t>({2, 3}, {0, 3, 1, 0, 1, 2}))});
}

TEST(TopK, SelectsAlongAnOuterAxisAndPlacesNan) {
  OpCase op_case = TopK(Values<float>({3, 1}, {1, NAN, 2}), 2, 1, Values<float>({2, 1}, {NAN, 2}),
                        Values<int64_t>({2, 1}, {1, 2}));
  op_case.attributes.Set("axis", int64_t{0});
  CheckOpCase(op_case);
}

TEST(TopK, RefusesMoreThanThereAre) {
  const Tensor x = Values<float>({2}, {1, 2});
  ExpectOpError(TopK(x, 3, 1, x, x), "k is 3, the axis has 2");
  ExpectOpError(TopK(x, -1, 1, x, x), "k is -1");
}

}  // namespace
}  // namespace inferd::testing
