#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Loss(Tensor scores, Tensor labels, std::optional<Tensor> weights, Tensor loss,
            Attributes attributes) {
  return {.op = "NegativeLogLikelihoodLoss",
          .inputs = {std::move(scores), std::move(labels), std::move(weights)},
          .outputs = {std::move(loss)},
          .attributes = std::move(attributes)};
}

Attributes Reduced(std::string reduction) { return MakeAttributes({{"reduction", reduction}}); }

TEST(NegativeLogLikelihoodLoss, ReducesInEveryFloatType) {
  for (DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}) {
    const Tensor scores = ValuesAs(dtype, {2, 3}, {1, 2, 3, 4, 5, 6});
    const Tensor labels = Values<int32_t>({2}, {2, 0});
    const Tensor weights = ValuesAs(dtype, {3}, {3, 1, 1});
    CheckOpCases(
        {Loss(scores, labels, std::nullopt, ValuesAs(dtype, {2}, {-3, -4}), Reduced("none")),
         Loss(scores, labels, std::nullopt, ValuesAs(dtype, {}, {-7}), Reduced("sum")),
         Loss(scores, labels, std::nullopt, ValuesAs(dtype, {}, {-3.5}), {}),
         Loss(scores, labels, weights, ValuesAs(dtype, {}, {-3.75}), {})});
  }
}

TEST(NegativeLogLikelihoodLoss, LeavesIgnoredLabelsOut) {
  const Tensor scores = Values<float>({1, 2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor labels = Values<int64_t>({1, 3}, {-9, 1, 0});
  Attributes none = Reduced("none");
  none.Set("ignore_index", int64_t{-9});
  Attributes mean = Reduced("mean");
  mean.Set("ignore_index", int64_t{-9});
  CheckOpCases({Loss(scores, labels, std::nullopt, Values<float>({1, 3}, {0, -5, -3}), none),
                Loss(scores, labels, std::nullopt, Values<float>({}, {-4}), mean)});
}

TEST(NegativeLogLikelihoodLoss, RefusesLabelsAndShapesThatDoNotFit) {
  const Tensor scores = Values<float>({1, 2}, {1, 2});
  const Tensor label = Values<int64_t>({1}, {0});
  const Tensor out = Values<float>({}, {0});
  ExpectOpError(Loss(scores, Values<int64_t>({1}, {2}), std::nullopt, out, {}), "label 2");
  ExpectOpError(Loss(scores, Values<int64_t>({1}, {-1}), std::nullopt, out, {}), "label -1");
  ExpectOpError(Loss(scores, Values<int64_t>({2}, {0, 0}), std::nullopt, out, {}), "labels");
  ExpectOpError(Loss(scores, label, Values<float>({3}, {1, 1, 1}), out, {}), "weights");
  ExpectOpError(Loss(scores, label, Values<double>({2}, {1, 1}), out, {}), "float64");
  ExpectOpError(Loss(scores, label, std::nullopt, out, Reduced("max")), "reduction");
  ExpectOpError(Loss(Values<float>({2}, {1, 2}), label, std::nullopt, out, {}), "scores");
  ExpectOpError(Loss(scores, Values<float>({1}, {0}), std::nullopt, out, {}), "int32");
}

}  // namespace
}  // namespace inferd::testing
