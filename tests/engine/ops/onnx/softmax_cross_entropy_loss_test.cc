#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

TEST(SoftmaxCrossEntropyLoss, GivesLossAndLogProbabilities) {
  const float half = std::log(2.0f);
  const float quarter = std::log(4.0f);
  CheckOpCases({{.op = "SoftmaxCrossEntropyLoss",
                 .inputs = {Values<float>({2, 2}, {1000, 1000, 0, std::log(3.0f)}),
                            Values<int64_t>({2}, {1, 0})},
                 .outputs = {Values<float>({}, {(half + quarter) / 2}),
                             Values<float>({2, 2}, {-half, -half, -quarter, std::log(0.75f)})}},
                {.name = "over dimension 1, weighted",
                 .op = "SoftmaxCrossEntropyLoss",
                 .inputs = {Values<double>({1, 2, 2}, {0, 0, 0, std::log(3.0)}),
                            Values<int32_t>({1, 2}, {1, 0}), Values<double>({2}, {2, 1})},
                 .outputs = {Values<double>({1, 2}, {std::log(2.0), 2 * std::log(4.0)})},
                 .attributes = MakeAttributes({{"reduction", std::string("none")}})},
                {.name = "no samples",
                 .op = "SoftmaxCrossEntropyLoss",
                 .inputs = {Values<float>({0, 2}, {}), Values<int64_t>({0}, {})},
                 .outputs = {Values<float>({}, {0}), Values<float>({0, 2}, {})},
                 .attributes = MakeAttributes({{"reduction", std::string("sum")}})}});
}

TEST(SoftmaxCrossEntropyLoss, RefusesLabelsBeyondTheClasses) {
  const Tensor scores = Values<float>({1, 2}, {1, 2});
  ExpectOpError({.op = "SoftmaxCrossEntropyLoss",
                 .inputs = {scores, Values<int64_t>({1}, {7})},
                 .outputs = {Values<float>({}, {0})}},
                "label 7");
}

}  // namespace
}  // namespace inferd::testing
