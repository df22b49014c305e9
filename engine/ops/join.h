#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/core/tensor.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// The shape of tensors of these shapes joined along `axis` (negative counts from the back).
absl::StatusOr<SymbolicShape> JoinedShape(absl::Span<const SymbolicShape> parts, int64_t axis);

// Output 0 = the parts, at least one and of one type, joined along `axis`.
absl::Status JoinTensors(KernelContext& context, absl::Span<const Tensor* const> parts,
                         int64_t axis);

}  // namespace inferd
