#include "absl/strings/str_cat.h"
#include "engine/ops/optimizer_step.h"

namespace inferd::ops::preview_training {
namespace {

constexpr int kGroups = 3;  // values, gradients, momenta

void Update(const Attributes& attributes, double rate, double count, double* element) {
  const double alpha = attributes.Float("alpha", 0);
  const double beta = count > 0 ? attributes.Float("beta", 0) : 1;
  const double gradient = attributes.Float("norm_coefficient", 0) * element[0] + element[1];
  element[2] = alpha * element[2] + beta * gradient;
  const bool nesterov = attributes.String("mode", "") == "nesterov";
  element[0] -= rate * (nesterov ? gradient + alpha * element[2] : element[2]);
}

absl::Status Infer(InferContext& context) {
  const std::string mode = context.attributes().String("mode", "");
  if (mode != "nesterov" && mode != "standard") {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute mode is \"", mode, "\", expected nesterov or standard"));
  }
  return InferOptimizer(context, kGroups);
}

absl::Status Compute(KernelContext& context) { return ComputeOptimizer(context, kGroups, Update); }

}  // namespace

OpDef Momentum() {
  return OptimizerOp("Momentum",
                     {{"alpha", AttributeKind::kFloat, true},
                      {"beta", AttributeKind::kFloat, true},
                      {"mode", AttributeKind::kString, true},
                      {"norm_coefficient", AttributeKind::kFloat, true}},
                     Infer, Compute);
}

}  // namespace inferd::ops::preview_training
