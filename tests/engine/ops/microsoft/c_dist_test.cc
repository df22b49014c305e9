#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

TEST(CDist, MeasuresEveryPairOfRows) {
  const Tensor a = Values<float>({2, 2}, {0, 0, 3, 4});
  const Tensor b = Values<float>({3, 2}, {0, 0, 3, 0, 3, 4});
  CheckOpCases({{.op = "CDist",
                 .inputs = {a, b},
                 .outputs = {Values<float>({2, 3}, {0, 9, 25, 25, 16, 0})},
                 .domain = "com.microsoft"},
                {.op = "CDist",
                 .inputs = {a, b},
                 .outputs = {Values<float>({2, 3}, {0, 3, 5, 5, 4, 0})},
                 .attributes = MakeAttributes({{"metric", std::string("euclidean")}}),
                 .domain = "com.microsoft"},
                {.op = "CDist",
                 .inputs = {Values<double>({1, 0}, {}), Values<double>({2, 0}, {})},
                 .outputs = {Values<double>({1, 2}, {0, 0})},
                 .domain = "com.microsoft"}});
}

TEST(CDist, RefusesOtherMetricsAndShapes) {
  const Tensor a = Values<float>({1, 2}, {0, 0});
  const Tensor wide = Values<float>({1, 3}, {0, 0, 0});
  ExpectOpError({.op = "CDist", .inputs = {a, wide}, .outputs = {a}, .domain = "com.microsoft"},
                "features");
  ExpectOpError({.op = "CDist",
                 .inputs = {a, a},
                 .outputs = {a},
                 .attributes = MakeAttributes({{"metric", std::string("cosine")}}),
                 .domain = "com.microsoft"},
                "cosine");
}

}  // namespace
}  // namespace inferd::testing
