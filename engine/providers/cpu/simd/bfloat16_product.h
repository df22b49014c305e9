#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/core/float16.h"
#include "engine/providers/cpu/simd/bfloat16_tiles.h"

namespace inferd::cpu {

// Sums of products a b (+ bias) in tile registers: a [rows, depth] in bfloat16 and b [depth,
// columns], both packed in whole steps with zeros behind. While a piece of b is multiplied the next
// one is fetched into the second cache. A value type.
struct Bfloat16Product {
  int64_t depth = 0;
  int64_t columns = 0;

  int64_t depth_steps() const { return (depth + kTileStep - 1) / kTileStep; }
  // Panels of b.
  int64_t panels() const { return (columns + kTileStep - 1) / kTileStep; }
  int64_t packed_bytes() const {
    return depth_steps() * panels() * kTileStep * kTileStep * int64_t{sizeof(Bfloat16)};
  }
  int64_t row_bytes(int64_t rows) const {
    return (rows + kTileProductRows - 1) / kTileProductRows * kTileProductRows * depth_steps() *
           kTileStep * int64_t{sizeof(Bfloat16)};
  }

  // b from floats: [depth, columns], or transposed.
  void Pack(const float* b, bool transposed, Bfloat16* packed) const;
  // `packed_rows` takes row_bytes(rows).
  void PackRows(const Bfloat16* a, int64_t rows, Bfloat16* packed_rows) const;
};

// A part of a product: all of a's rows, some panels of b.
struct Bfloat16Block {
  const Bfloat16* packed_rows;
  int64_t rows;
  const Bfloat16* packed;
  int64_t first_panel;
  int64_t last_panel;
  int64_t next_panel;  // where the caller goes on: what is fetched ahead at the end
  const float* bias;   // [columns] or null
  // Rows rounded up to kTileProductRows, `sums_step` floats apart, of whole panels. A step that is
  // an odd number of cache lines keeps rows out of one another's way.
  float* sums;
  int64_t sums_step;
};

// The thread has TileRegisters.
void MultiplyBlock(const Bfloat16Product& product, const Bfloat16Block& block);

}  // namespace inferd::cpu
