#pragma once

#include <cstdint>

#include "engine/core/float16.h"

namespace inferd::cpu {

// y[i] = x[i] for i in [0, count), rounded to the nearest bfloat16, half to even; NaN stays NaN.
// Too small numbers for a normal float may become zero. x and y must not overlap.
void RoundToBfloat16(const float* x, Bfloat16* y, int64_t count);
// The same the other way, exact.
void WidenBfloat16(const Bfloat16* x, float* y, int64_t count);

}  // namespace inferd::cpu
