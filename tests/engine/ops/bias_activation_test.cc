#include "engine/ops/bias_activation.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

const Tensor kX = Values<float>({2}, {1, 2});

TEST(BiasActivation, RefusesABiasOfAnotherSizeForAScalar) {
  ExpectOpError({.op = "BiasGelu",
                 .inputs = {Values<float>({}, {1}), kX},
                 .outputs = {kX},
                 .domain = "com.microsoft"},
                "bias has shape [2]");
}

}  // namespace
}  // namespace inferd::testing
