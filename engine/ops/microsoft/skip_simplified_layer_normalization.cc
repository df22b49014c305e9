#include "engine/ops/op_def.h"
#include "engine/ops/skip_normalization.h"

namespace inferd::ops::microsoft {
namespace {

absl::Status Infer(InferContext& context) {
  return InferSkipNormalization(context, {.centered = false});
}

absl::Status Compute(KernelContext& context) {
  return ComputeSkipNormalization(context, {.centered = false});
}

}  // namespace

OpDef SkipSimplifiedLayerNormalization() {
  return {.domain = "com.microsoft",
          .name = "SkipSimplifiedLayerNormalization",
          .since = 1,
          .min_inputs = 3,
          .max_inputs = 4,
          .max_outputs = 4,
          .attributes = {{"epsilon", AttributeKind::kFloat}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
