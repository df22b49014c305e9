#pragma once

#include <initializer_list>

#include "engine/ops/infer_context.h"

namespace inferd {

// For shape rules of operators whose kernels read several inputs as one C++ type.

// INVALID_ARGUMENT naming both inputs unless all those present are tensors of one element type.
absl::Status CheckSameTypes(const InferContext& context, std::initializer_list<int> inputs);

// INVALID_ARGUMENT unless input `i`, where present, is a tensor of one of `allowed`.
absl::Status CheckInputType(const InferContext& context, int i,
                            std::initializer_list<DType> allowed);

// INVALID_ARGUMENT naming the first of `inputs` that is absent: for operators with optional inputs
// among the required ones.
absl::Status CheckInputsGiven(const InferContext& context, std::initializer_list<int> inputs);

}  // namespace inferd
