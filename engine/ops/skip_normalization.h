#pragma once

#include "absl/status/status.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// SkipLayerNormalization and its RMS form: Y normalizes X + skip + bias over the last dimension.
// Outputs: Y, mean, inverse deviation (float, last dimension 1) and the sum. The inputs behind
// X and skip are gamma, then beta where the operator has one, then bias.
struct SkipNormalization {
  bool centered = true;  // false: divide by the root mean square alone, without beta
};

absl::Status InferSkipNormalization(InferContext& context, const SkipNormalization& kind);
absl::Status ComputeSkipNormalization(KernelContext& context, const SkipNormalization& kind);

}  // namespace inferd
