#pragma once

#include "engine/ops/op_def.h"

namespace inferd {

// The definition of ArgMax and ArgMin: the index of the extreme value along an axis. NaN counts as
// the extreme in both, as in numpy.
OpDef ArgExtremeDef(absl::string_view name, absl::Status (*compute)(KernelContext&));

// The kernel; `greatest` is true for ArgMax.
absl::Status ComputeArgExtreme(KernelContext& context, bool greatest);

}  // namespace inferd
