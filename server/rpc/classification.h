#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/core/tensor.h"

namespace inferd {

// Whether an output of this type can be classified: every number the protocol carries.
bool IsClassifiable(DType dtype);

// The `count` greatest scores as BYTES elements "value:index" or, where there is a label for the
// index, "value:index:label"; the greatest first, equal ones by index, NaN after all numbers. With
// `has_rows` dimension 0 holds rows that are classified one by one and the shape is [rows, n], else
// it is [n]; n is `count` or what there is. Values are written so that they read back exactly.
// Requires a classifiable tensor and count > 0.
absl::StatusOr<Tensor> Classify(const Tensor& scores, int64_t count, bool has_rows,
                                absl::Span<const std::string> labels);

}  // namespace inferd
