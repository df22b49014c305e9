#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/core/tensor.h"
#include "engine/engine.h"

namespace inferd {

// INVALID_ARGUMENT naming the input unless `inputs` are what a model with the signature `expected`
// takes: kinds, element types, known dimensions, and the same size wherever a dimension has the
// same name, an index into `symbols`.
absl::Status CheckInputs(absl::Span<const Tensor> inputs, const std::vector<TensorInfo>& expected,
                         const std::vector<std::string>& symbols);

}  // namespace inferd
