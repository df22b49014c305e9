#pragma once

#include <cstdint>

#include "engine/core/float16.h"

namespace inferd::cpu {

// y = a b (+ bias) in tile registers: a [rows, depth] in bfloat16, b [depth, columns] packed, y in
// floats. Made for deep products: a block of rows is packed for a stretch of the depth and meets
// every column before the next stretch, y holding the sums meanwhile. A value type.
struct Bfloat16Product {
  int64_t depth = 0;    // whole steps (kTileStep)
  int64_t columns = 0;  // likewise

  // Rows that share what is read of b.
  static constexpr int64_t kBlockRows = 256;

  int64_t packed_bytes() const { return depth * columns * int64_t{sizeof(Bfloat16)}; }
  // Of each thread, a multiple of a cache line.
  int64_t scratch_bytes() const;

  // b from floats: [depth, columns], or transposed.
  void Pack(const float* b, bool transposed, Bfloat16* packed) const;
  // Up to kBlockRows rows of a and y. `bias` is null or a row. The thread has TileRegisters.
  void Multiply(const Bfloat16* a, int64_t rows, const Bfloat16* packed, const float* bias,
                void* scratch, float* y) const;
};

}  // namespace inferd::cpu
