#include <cmath>

#include "engine/ops/optimizer_step.h"

namespace inferd::ops::preview_training {
namespace {

constexpr int kGroups = 3;  // values, gradients, sums of squared gradients

void Update(const Attributes& attributes, double rate, double count, double* element) {
  const double gradient = attributes.Float("norm_coefficient", 0) * element[0] + element[1];
  element[2] += gradient * gradient;
  const double factor = rate / (1 + count * attributes.Float("decay_factor", 0));
  element[0] -= factor * gradient / (std::sqrt(element[2]) + attributes.Float("epsilon", 1e-6f));
}

absl::Status Infer(InferContext& context) { return InferOptimizer(context, kGroups); }
absl::Status Compute(KernelContext& context) { return ComputeOptimizer(context, kGroups, Update); }

}  // namespace

OpDef Adagrad() {
  return OptimizerOp("Adagrad",
                     {{"decay_factor", AttributeKind::kFloat},
                      {"epsilon", AttributeKind::kFloat},
                      {"norm_coefficient", AttributeKind::kFloat}},
                     Infer, Compute);
}

}  // namespace inferd::ops::preview_training
