#include "engine/ops/bias_activation.h"
#include "engine/ops/gelu.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {
namespace {

absl::Status Compute(KernelContext& context) {
  return ComputeBiasActivation(context, [](auto x) { return TanhGelu(x); });
}

}  // namespace

OpDef FastGelu() {
  return {.domain = "com.microsoft",
          .name = "FastGelu",
          .since = 1,
          .max_inputs = 2,
          .infer = InferBiasActivation,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
