#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/ops/accumulator.h"

namespace inferd {

// Rotary position embedding: pairs of a head's elements turn by angles that depend on the token's
// position. Caches hold cosines and sines, a row a position, rotated / 2 of them each.

// X is [batch,heads,sequence,size] or, flat, [batch,sequence,heads*size]. A value type.
struct RotaryShape {
  int64_t batch = 0;
  int64_t heads = 0;
  int64_t sequence = 0;
  int64_t head_size = 0;
  int64_t rotated = 0;  // the first elements of each head; the others stay
  bool flat = false;

  int64_t tokens() const { return batch * sequence; }
};

// `heads` counts for flat X alone; `rotated` 0 means the whole head. INVALID_ARGUMENT naming what
// does not fit.
absl::StatusOr<RotaryShape> ResolveRotary(const Shape& x, int64_t heads, int64_t rotated);

// INVALID_ARGUMENT unless there is one position for each of `tokens`, within `cache_rows`.
absl::Status CheckPositions(const std::vector<int64_t>& positions, int64_t tokens,
                            int64_t cache_rows);

// Rotates one head's vector of `size` elements: pairs are neighbours when `interleaved`, else an
// element of the first half with its fellow in the second. `y` may be `x`.
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

// Rotates all of X; token t (batch-major) takes row rows[t] of the caches. All of X's type.
absl::Status RotateTokens(const RotaryShape& shape, bool interleaved,
                          const std::vector<int64_t>& rows, const Tensor& cos, const Tensor& sin,
                          const Tensor& x, Tensor* y);

}  // namespace inferd
