#pragma once

#include <cstdint>

namespace inferd {

// For a >= 0 and b > 0, whose sum must not overflow.
constexpr int64_t DivideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The least multiple of `step` that is no less than `value`.
constexpr int64_t RoundUp(int64_t value, int64_t step) { return DivideUp(value, step) * step; }

}  // namespace inferd
