#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "engine/graph/op_def.h"
#include "engine/ops/custom/inferd_custom_op.h"

namespace inferd {

// The operator that a library describes, as the engine's own: its shape rule and kernel call into
// the library. What the library gives is checked, here and at every call, as far as that can be.
// INVALID_ARGUMENT naming the operator and the field. `op` must live as long as the process.
absl::StatusOr<OpDef> MakeCustomOp(const InferdCustomOp& op);

}  // namespace inferd
