#include "engine/ops/bias_activation.h"
#include "engine/ops/gelu.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {
namespace {

absl::Status Compute(KernelContext& context) {
  return ComputeBiasActivation(context, [](auto x) { return inferd::Gelu(x); });
}

}  // namespace

OpDef BiasGelu() {
  return {.domain = "com.microsoft",
          .name = "BiasGelu",
          .since = 1,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = InferBiasActivation,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
