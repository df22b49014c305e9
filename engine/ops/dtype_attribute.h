#pragma once

#include <initializer_list>

#include "absl/status/statusor.h"
#include "engine/graph/attributes.h"

namespace inferd {

// Attribute `name` as an element type; `missing`, which may be kInvalid, where the node has none.
// INVALID_ARGUMENT for a number that is no element type.
absl::StatusOr<DType> ReadDType(const Attributes& attributes, absl::string_view name,
                                DType missing);

// The same, INVALID_ARGUMENT also for a type that is not among `allowed` (kInvalid passes).
absl::StatusOr<DType> ReadDType(const Attributes& attributes, absl::string_view name, DType missing,
                                std::initializer_list<DType> allowed);

}  // namespace inferd
