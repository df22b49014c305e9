#pragma once

#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// What RandomNormal, RandomUniform and their Like forms have in common: output 0 has the shape of
// input 0 or, without one, that of attribute `shape`; its type is attribute `dtype`, else input
// 0's, else float32.

absl::Status InferRandomFill(InferContext& context);

// Kernels: output 0 from the normal distribution of the attributes mean and scale; from the uniform
// one over [low, high).
absl::Status FillNormal(KernelContext& context);
absl::Status FillUniform(KernelContext& context);

}  // namespace inferd
