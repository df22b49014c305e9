#pragma once

#include "engine/ops/kernel_context.h"

namespace inferd {

// Output 0 = input 0's elements under `shape`, for the portable kernels of view operators.
absl::Status CopyAs(KernelContext& context, const Shape& shape);

// Copies `count` elements of any dtype, strings included. The ranges must not overlap unless equal.
void CopyElements(const Tensor& from, int64_t from_offset, Tensor* to, int64_t to_offset,
                  int64_t count);

}  // namespace inferd
