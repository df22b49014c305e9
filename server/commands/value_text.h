#pragma once

#include <string>

#include "absl/status/status.h"
#include "engine/core/tensor.h"

namespace inferd {

// A value's type and its first elements: "float32[1,10] 0.1 0.9 ...".
std::string ValueText(const Tensor& value);

// Element `i` of a tensor as text.
std::string ElementText(const Tensor& tensor, int64_t i);

}  // namespace inferd
