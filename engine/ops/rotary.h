#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/ops/accumulator.h"

namespace inferd {

// Rotary position embedding of one head's vector: the first `rotated` elements turn in pairs by the
// angles whose cosines and sines are given (rotated / 2 of each), the rest stays. Pairs are
// neighbours when `interleaved`, else elements of the first and second half. `y` may be `x`.
template <typename T>
void Rotate(int64_t size, int64_t rotated, bool interleaved, const T* cos, const T* sin, const T* x,
            T* y) {
  using Acc = AccumulatorOf<T>;
  const int64_t half = rotated / 2;
  for (int64_t i = 0; i < half; ++i) {
    const int64_t first = interleaved ? 2 * i : i;
    const int64_t second = interleaved ? 2 * i + 1 : i + half;
    const Acc a = x[first], b = x[second], c = cos[i], s = sin[i];
    y[first] = static_cast<T>(c * a - s * b);
    y[second] = static_cast<T>(s * a + c * b);
  }
  if (y != x) std::copy(x + rotated, x + size, y + rotated);
}

}  // namespace inferd
