#pragma once

#include "absl/status/status.h"
#include "engine/core/tensor.h"

namespace inferd {

// How far numbers may be apart: |got - expected| <= absolute + relative * |expected|. A value type.
struct Tolerance {
  double relative = 1e-3;
  double absolute = 1e-7;
};

// OK when `got` is `expected`: same kinds, element types and shapes, numbers within the tolerance
// (NaN equals NaN), strings, bools and integers as numbers, too. INVALID_ARGUMENT saying where they
// differ, what was expected and what was got, and for numbers how much in how many elements.
absl::Status CompareValues(const Tensor& got, const Tensor& expected, const Tolerance& tolerance);

}  // namespace inferd
