#include "engine/ops/svm_model.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using ::testing::DoubleNear;
using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

TEST(SvmKernel, ComputesItsFunction) {
  const float a[] = {1, 2}, b[] = {3, 1};
  const auto value = [&](const char* type) {
    const auto kernel = SvmKernel::Read(
        MakeAttributes({{"kernel_type", std::string(type)}, {"kernel_params", Floats{0.5, 1, 2}}}));
    return kernel->Value(a, b, 2);
  };
  EXPECT_THAT(value("LINEAR"), DoubleNear(5, 1e-9));
  EXPECT_THAT(value("POLY"), DoubleNear(12.25, 1e-9));
  EXPECT_THAT(value("RBF"), DoubleNear(std::exp(-2.5), 1e-9));
  EXPECT_THAT(value("SIGMOID"), DoubleNear(std::tanh(3.5), 1e-9));
  EXPECT_FALSE(SvmKernel::Read(MakeAttributes({{"kernel_type", std::string("CUBIC")}})).ok());
}

TEST(CoupleProbabilities, RecoversConsistentPairs) {
  // Probabilities 0.5, 0.3, 0.2 give the pairs p_i / (p_i + p_j).
  const double p[] = {0.5, 0.3, 0.2};
  std::vector<double> pairwise(9);
  for (int i = 0; i < 9; ++i) pairwise[i] = p[i / 3] / (p[i / 3] + p[i % 3]);
  const std::vector<double> coupled = CoupleProbabilities(3, pairwise);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(coupled[i], DoubleNear(p[i], 1e-2));
}

TEST(SvmOps, DecideBySupportVectors) {
  const Tensor x = Values<float>({2, 1}, {2, -1});
  CheckOpCases({{.name = "regressor",
                 .op = "SVMRegressor",
                 .inputs = {x},
                 .outputs = {Values<float>({2, 1}, {7, -2})},
                 .attributes = MakeAttributes({{"coefficients", Floats{3}},
                                               {"support_vectors", Floats{1}},
                                               {"n_supports", int64_t{1}},
                                               {"rho", Floats{1}}}),
                 .domain = "ai.onnx.ml"},
                {.name = "classifier",
                 .op = "SVMClassifier",
                 .inputs = {x},
                 .outputs = {Values<int64_t>({2}, {4, 5}), Values<float>({2, 2}, {-4, 4, 2, -2})},
                 .attributes = MakeAttributes({{"coefficients", Floats{1, -1}},
                                               {"support_vectors", Floats{1, -1}},
                                               {"vectors_per_class", Ints{1, 1}},
                                               {"rho", Floats{0}},
                                               {"classlabels_ints", Ints{4, 5}}}),
                 .domain = "ai.onnx.ml"}});
}

TEST(SvmOps, RefuseListsThatDoNotFit) {
  const Tensor x = Values<float>({1, 2}, {2, -1});
  ExpectOpError({.name = "classifier",
                 .op = "SVMClassifier",
                 .inputs = {x},
                 .outputs = {Values<int64_t>({1}, {4}), Values<float>({1, 2}, {0, 0})},
                 .attributes = MakeAttributes({{"coefficients", Floats{1}},
                                               {"support_vectors", Floats{1, -1}},
                                               {"vectors_per_class", Ints{1, 1}},
                                               {"rho", Floats{0}},
                                               {"classlabels_ints", Ints{4, 5}}}),
                 .domain = "ai.onnx.ml"},
                "do not fit 2 classes");
}

}  // namespace
}  // namespace inferd::testing
