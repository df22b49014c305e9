#include "engine/core/status_macros.h"
#include "engine/ops/class_loss.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Accumulators<AccumulatorOf<T>> log_prob(x.data<T>(), x.num_elements());
    return ComputeClassLoss<T>(context, log_prob.data());
  });
}

}  // namespace

OpDef NegativeLogLikelihoodLoss() {
  return {
      .name = "NegativeLogLikelihoodLoss",
      .since = 22,
      .min_inputs = 2,
      .max_inputs = 3,
      .attributes = {{"ignore_index", AttributeKind::kInt}, {"reduction", AttributeKind::kString}},
      .infer = InferClassLoss,
      .compute = Compute};
}

}  // namespace inferd::ops::onnx
