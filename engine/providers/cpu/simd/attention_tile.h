#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "engine/core/rounding.h"
#include "engine/ops/strided_attention.h"
#include "engine/providers/cpu/simd/bfloat16_tiles.h"

// How attention is cut into tiles, and what a thread keeps of one.
namespace inferd::cpu {

// Queries that share a block of scores: 24 KB with 256 keys. Tile registers want whole tiles.
inline constexpr int64_t kVectorRows = 24;
inline constexpr int64_t kBlockKeys = 256;
inline constexpr int64_t kPanelMost = 32;  // two of the longest vectors
// Up to so many queries packing K and V costs more than it saves.
inline constexpr int64_t kFewQueries = 2;
inline constexpr float kNothing = -std::numeric_limits<float>::infinity();
// A bias at or below this hides a key wherever another key of the row is above it: no score of
// finite operands that anyone computes comes near, and the softmax gives it exactly zero.
inline constexpr float kHiding = -1e30f;

inline int64_t TileRows(bool tile_registers) {
  return tile_registers ? kTileProductRows : kVectorRows;
}

// Where the parts of one thread's scratch begin. With tile registers the operands of products are
// bfloat16, packed for them, else floats.
struct AttentionScratch {
  AttentionScratch(const StridedAttention& a, bool tile_registers) {
    const int64_t rows = TileRows(tile_registers);
    const int64_t keys = RoundUp(a.keys, kPanelMost);
    const int64_t width = RoundUp(a.width, kPanelMost);
    const int64_t depth = std::max<int64_t>(
        1, tile_registers ? RoundUp(a.depth, kPanelMost) / 2 : a.depth);  // floats
    values = keys * depth;
    scores = values + (tile_registers ? keys * width / 2 : a.keys * width);
    narrow = scores + rows * kBlockKeys;
    result = narrow + (tile_registers ? rows * kBlockKeys / 2 : 0);
    high = result + rows * width;
    sum = high + rows;
    wide = RoundUp(sum + rows, 16);
    end = wide + RoundUp(kPanelMost * depth, 16);
  }
  int64_t values;  // after K as panels of neighbouring keys, [depth, panel] each: V as panels of
                   // neighbouring columns, [keys, panel] each
  int64_t scores;  // [tile rows, block of keys]
  int64_t narrow;  // exponentials as bfloat16, likewise
  int64_t result;  // [tile rows, width rounded up]
  int64_t high;    // the greatest score of each row so far
  int64_t sum;     // of the exponentials of each row so far
  int64_t wide;    // rows of Q or K as the products take them
  int64_t end;
};

// The same as addresses.
struct AttentionBuffers {
  AttentionBuffers(const StridedAttention& a, bool tile_registers, float* scratch)
      : AttentionBuffers(AttentionScratch(a, tile_registers), tile_registers, scratch) {}
  AttentionBuffers(const AttentionScratch& at, bool tile_registers, float* scratch)
      : tile_registers(tile_registers),
        keys(scratch),
        values(scratch + at.values),
        scores(scratch + at.scores),
        narrow(reinterpret_cast<Bfloat16*>(scratch + at.narrow)),
        result(scratch + at.result),
        high(scratch + at.high),
        sum(scratch + at.sum),
        wide(scratch + at.wide) {}
  bool tile_registers;
  float* keys;
  float* values;
  float* scores;
  Bfloat16* narrow;
  float* result;
  float* high;
  float* sum;
  float* wide;

  // What is bfloat16 for tile registers.
  Bfloat16* narrow_keys() const { return reinterpret_cast<Bfloat16*>(keys); }
  Bfloat16* narrow_values() const { return reinterpret_cast<Bfloat16*>(values); }
  Bfloat16* narrow_rows() const { return reinterpret_cast<Bfloat16*>(wide); }
};

// One tile: its head, rows, and the keys it has to look at.
struct AttentionTile {
  int64_t b = 0;
  int64_t h = 0;
  int64_t row = 0;
  int64_t rows = 0;
  int64_t first_key = 0;
  int64_t end_key = 0;
};

}  // namespace inferd::cpu
