#pragma once

#include <cstdint>

#include "absl/types/span.h"

namespace inferd::cpu {

// A matrix whose columns become columns of a wider one; rows are dense.
struct JoinedPart {
  const float* x;
  int64_t columns;
};

// y = max(x * scale + shift, low) for the rows [begin, end) of the parts side by side; scale and
// shift have a value a column of y. NaN stays NaN.
void JoinRowsF32(absl::Span<const JoinedPart> parts, const float* scale, const float* shift,
                 float low, int64_t begin, int64_t end, float* y);

}  // namespace inferd::cpu
