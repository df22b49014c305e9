#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Encoded(Tensor x, Tensor y, int64_t zeros) {
  return {
      .op = "OneHotEncoder",
      .inputs = {std::move(x)},
      .outputs = {std::move(y)},
      .attributes = MakeAttributes({{"cats_int64s", std::vector<int64_t>{0, 7}}, {"zeros", zeros}}),
      .domain = "ai.onnx.ml"};
}

TEST(OneHotEncoder, MarksEachCategory) {
  CheckOpCase(Encoded(Values<float>({2}, {7, 0}), Values<float>({2, 2}, {0, 1, 1, 0}), 0));
}

TEST(OneHotEncoder, TakesWhatIsNoNumberForNoCategory) {
  const Tensor x = Values<float>({3}, {NAN, INFINITY, -1e30f});
  CheckOpCase(Encoded(x, Values<float>({3, 2}, {0, 0, 0, 0, 0, 0}), 1));
  ExpectOpError(Encoded(x, Values<float>({3, 2}, {0, 0, 0, 0, 0, 0}), 0), "none of the categories");
}

}  // namespace
}  // namespace inferd::testing
