#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

template <typename T>
OpCase Range(T start, T limit, T delta, const Tensor& expected) {
  return {.name = std::string(DTypeName(DTypeOf<T>())),
          .op = "Range",
          .inputs = {Values<T>({}, {start}), Values<T>({}, {limit}), Values<T>({}, {delta})},
          .outputs = {expected}};
}

TEST(Range, CountsUpAndDown) {
  CheckOpCases(
      {Range<int32_t>(1, 8, 3, Values<int32_t>({3}, {1, 4, 7})),
       Range<int64_t>(3, -2, -2, Values<int64_t>({3}, {3, 1, -1})),
       Range<int64_t>(3, 3, 1, Values<int64_t>({0}, {})),
       Range<int64_t>(0, 3, -1, Values<int64_t>({0}, {})),
       Range<float>(0, 1, 0.25f, Values<float>({4}, {0, 0.25f, 0.5f, 0.75f})),
       Range<double>(1, 0, -0.4, Values<double>({3}, {1, 0.6, 0.2})),
       Range<int64_t>(INT64_MIN, INT64_MAX, INT64_MAX,
                      Values<int64_t>({3}, {INT64_MIN, -1, INT64_MAX - 1})),
       Range<int64_t>(INT64_MAX, INT64_MIN, INT64_MIN, Values<int64_t>({2}, {INT64_MAX, -1}))});
}

TEST(Range, RefusesEndlessRanges) {
  const Tensor any = Values<float>({0}, {});
  ExpectOpError(Range<float>(0, 1, 0, any), "delta is 0");
  ExpectOpError(Range<int64_t>(0, INT64_MAX, 1, any), "too many elements");
  ExpectOpError(Range<float>(0, INFINITY, 1, any), "too many elements");
  ExpectOpError(Range<float>(NAN, 1, 1, any), "too many elements");
}

}  // namespace
}  // namespace inferd::testing
