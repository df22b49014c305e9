#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "engine/ops/strided_attention.h"

// How attention is cut into tiles, and what a thread keeps of one.
namespace inferd::cpu {

// Queries that share a block of scores: 24 KB with 256 keys.
inline constexpr int64_t kTileRows = 24;
inline constexpr int64_t kBlockKeys = 256;
inline constexpr int64_t kPanelMost = 32;  // two of the longest vectors
// Up to so many queries packing K and V costs more than it saves.
inline constexpr int64_t kFewQueries = 2;
inline constexpr float kNothing = -std::numeric_limits<float>::infinity();
// A bias at or below this hides a key wherever another key of the row is above it: no score of
// finite operands that anyone computes comes near, and the softmax gives it exactly zero.
inline constexpr float kHiding = -1e30f;

inline int64_t RoundedUp(int64_t count, int64_t step) { return (count + step - 1) / step * step; }

// Where the parts of one thread's scratch begin.
struct AttentionScratch {
  explicit AttentionScratch(const StridedAttention& a)
      : values(RoundedUp(a.keys, kPanelMost) * std::max<int64_t>(1, a.depth)),
        scores(values + a.keys * RoundedUp(a.width, kPanelMost)),
        result(scores + kTileRows * kBlockKeys),
        high(result + kTileRows * RoundedUp(a.width, kPanelMost)),
        sum(high + kTileRows),
        wide(RoundedUp(sum + kTileRows, 16)),
        end(wide + RoundedUp(kPanelMost * a.depth, 16)) {}
  int64_t values;  // after K as panels of neighbouring keys, [depth, panel] each: V as panels of
                   // neighbouring columns, [keys, panel] each
  int64_t scores;  // [tile rows, block of keys]
  int64_t result;  // [tile rows, width rounded up]
  int64_t high;    // the greatest score of each row so far
  int64_t sum;     // of the exponentials of each row so far
  int64_t wide;    // rows of Q or K as floats, where they are stored as bfloat16
  int64_t end;
};

// The same as addresses.
struct AttentionBuffers {
  AttentionBuffers(const StridedAttention& a, float* scratch)
      : keys(scratch),
        values(scratch + AttentionScratch(a).values),
        scores(scratch + AttentionScratch(a).scores),
        result(scratch + AttentionScratch(a).result),
        high(scratch + AttentionScratch(a).high),
        sum(scratch + AttentionScratch(a).sum),
        wide(scratch + AttentionScratch(a).wide) {}
  float* keys;
  float* values;
  float* scores;
  float* result;
  float* high;
  float* sum;
  float* wide;
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
