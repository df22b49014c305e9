#include <cmath>

#include "engine/ops/optimizer_step.h"

namespace inferd::ops::preview_training {
namespace {

constexpr int kGroups = 4;  // values, gradients, averages of gradients and of their squares

void Update(const Attributes& attributes, double rate, double count, double* element) {
  const double alpha = attributes.Float("alpha", 0.9f);
  const double beta = attributes.Float("beta", 0.999f);
  const double gradient = attributes.Float("norm_coefficient", 0) * element[0] + element[1];
  element[2] = alpha * element[2] + (1 - alpha) * gradient;
  element[3] = beta * element[3] + (1 - beta) * gradient * gradient;
  if (count > 0) rate *= std::sqrt(1 - std::pow(beta, count)) / (1 - std::pow(alpha, count));
  const double value =
      element[0] - rate * element[2] / (std::sqrt(element[3]) + attributes.Float("epsilon", 1e-6f));
  element[0] = (1 - attributes.Float("norm_coefficient_post", 0)) * value;
}

absl::Status Infer(InferContext& context) { return InferOptimizer(context, kGroups); }
absl::Status Compute(KernelContext& context) { return ComputeOptimizer(context, kGroups, Update); }

}  // namespace

OpDef Adam() {
  return OptimizerOp("Adam",
                     {{"alpha", AttributeKind::kFloat},
                      {"beta", AttributeKind::kFloat},
                      {"epsilon", AttributeKind::kFloat},
                      {"norm_coefficient", AttributeKind::kFloat},
                      {"norm_coefficient_post", AttributeKind::kFloat}},
                     Infer, Compute);
}

}  // namespace inferd::ops::preview_training
