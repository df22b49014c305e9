#pragma once

#include "absl/status/status.h"
#include "engine/ops/custom/inferd_custom_op.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// Calls of a library's operator. An error carries the library's own message where it gave one, and
// is INTERNAL when the library broke its contract (an output not set, an element out of range).
absl::Status InferCustomShapes(const InferdCustomOp& op, InferContext& context);
absl::Status RunCustomOp(const InferdCustomOp& op, KernelContext& context);

}  // namespace inferd
