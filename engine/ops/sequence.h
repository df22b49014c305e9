#pragma once

#include "absl/status/statusor.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// INVALID_ARGUMENT unless the input is a sequence.
absl::Status CheckSequence(const KernelContext& context, int input);

// The position in input `i`, a scalar: [-size, size - 1], or up to size when `past_end`; `missing`
// without the input. INVALID_ARGUMENT naming position and size.
absl::StatusOr<int64_t> SequencePosition(const KernelContext& context, int i, int64_t size,
                                         int64_t missing, bool past_end);

// Output 0 = a copy of `value`: a tensor in the output's storage, or any other kind.
absl::Status SetToCopy(KernelContext& context, const Tensor& value);

// What a sequence or optional type holds; a tensor of unknown type when it is not known.
ValueType ElementType(const ValueType& type);

// The type that fits both: equal ranks and dimensions stay, others become unknown.
ValueType CommonType(const ValueType& a, const ValueType& b);

}  // namespace inferd
