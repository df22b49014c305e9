#include "engine/providers/cpu/simd/attention_f32.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "engine/providers/cpu/cpu_features.h"
#include "engine/providers/cpu/simd/attention_tile.h"
#include "engine/providers/cpu/simd/bfloat16_rows.h"
#include "engine/providers/cpu/simd/bfloat16_tiles.h"
#include "engine/providers/cpu/simd/targets.h"
#include "engine/providers/cpu/simd/tile_transpose.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/providers/cpu/simd/attention_f32.cc"
// The loop over targets must come before what it compiles again.
// clang-format off
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "engine/providers/cpu/simd/attention_mask-inl.h"
#include "engine/providers/cpu/simd/math-inl.h"
#include "engine/providers/cpu/simd/row_tile-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

// Scales the first `count` products of a row and applies mask and bias. Returns the greatest;
// the rest of the last vector becomes -infinity.
template <bool kMask, bool kBias>
HWY_INLINE float FinishScores(float* scores, int64_t count, float scale, const RowMask& row,
                              int64_t first) {
  const D d;
  const hn::Rebind<uint8_t, D> d8;
  const DI di;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const V factor = Const(scale);
  const V hidden = Const(row.hidden);
  const auto hiding = hn::Set(di, row.hiding);
  const float* bias = kBias ? row.bias + first : nullptr;
  const uint8_t* mask = kMask ? row.mask + first : nullptr;
  HWY_ALIGN uint8_t bytes[HWY_LANES(float)] = {};
  V high = Const(kNothing);
  for (int64_t j = 0; j < count; j += lanes) {
    const size_t rest = static_cast<size_t>(std::min(lanes, count - j));
    const bool whole = j + lanes <= count;
    V s = hn::Mul(hn::LoadU(d, scores + j), factor);
    if (kMask) {
      for (size_t i = 0; !whole && i < rest; ++i) bytes[i] = mask[j + i];
      const auto loaded = hn::PromoteTo(di, hn::LoadU(d8, whole ? mask + j : bytes));
      const auto truth = hn::Min(loaded, hn::Set(di, 1));
      s = hn::IfThenElse(hn::RebindMask(d, hn::Eq(truth, hiding)), hidden, s);
    }
    if (kBias) s = hn::Add(s, whole ? hn::LoadU(d, bias + j) : LoadPart(bias + j, rest));
    if (!whole) s = hn::IfThenElse(hn::FirstN(d, rest), s, Const(kNothing));
    hn::StoreU(s, d, scores + j);
    high = hn::Max(high, s);
  }
  return hn::GetLane(hn::MaxOfLanes(d, high));
}

HWY_INLINE float FinishRow(float* scores, int64_t count, float scale, const RowMask& row,
                           int64_t first) {
  if (row.mask != nullptr && row.bias != nullptr) {
    return FinishScores<true, true>(scores, count, scale, row, first);
  }
  if (row.mask != nullptr) return FinishScores<true, false>(scores, count, scale, row, first);
  if (row.bias != nullptr) return FinishScores<false, true>(scores, count, scale, row, first);
  return FinishScores<false, false>(scores, count, scale, row, first);
}

// scores = exp(scores - high) for `count` of them, zero from there to `columns`. Returns the sum.
HWY_INLINE float Exponentials(float* scores, int64_t count, int64_t columns, float high) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const V shift = Const(high);
  V sum0 = hn::Zero(d);
  V sum1 = hn::Zero(d);
  int64_t j = 0;
  for (; j + lanes < count; j += 2 * lanes) {
    const V e0 = ExpNotPositive(hn::Sub(hn::LoadU(d, scores + j), shift));
    const V e1 = ExpNotPositive(hn::Sub(hn::LoadU(d, scores + j + lanes), shift));
    hn::StoreU(e0, d, scores + j);
    hn::StoreU(e1, d, scores + j + lanes);
    sum0 = hn::Add(sum0, e0);
    sum1 = hn::Add(sum1, e1);
  }
  for (; j < count; j += lanes) {
    const V e = ExpNotPositive(hn::Sub(hn::LoadU(d, scores + j), shift));
    hn::StoreU(e, d, scores + j);
    sum0 = hn::Add(sum0, e);
  }
  for (; j < columns; j += lanes) hn::StoreU(hn::Zero(d), d, scores + j);
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(sum0, sum1)));
}

HWY_INLINE void ScaleRow(float* values, int64_t count, float factor) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t j = 0; j < count; j += lanes) {
    hn::StoreU(hn::Mul(hn::LoadU(d, values + j), Const(factor)), d, values + j);
  }
}

// The products of a block of keys become exponentials; what was summed before is scaled to the new
// greatest score of the row. `columns` is the block rounded up to whole panels.
void SoftmaxBlock(const StridedAttention& a, const AttentionOperands& operands,
                  const AttentionTile& tile, int64_t first, int64_t block, int64_t columns,
                  int64_t result_step, const AttentionBuffers& scratch) {
  for (int64_t i = 0; i < tile.rows; ++i) {
    float* scores = scratch.scores + i * columns;
    int64_t count = block;
    if (a.causal) {
      count = std::clamp<int64_t>(tile.row + i + a.first_position + 1 - first, 0, block);
    }
    const RowMask row = MaskOf(a, operands, tile.b, tile.h, tile.row + i);
    const float high = std::max(scratch.high[i], FinishRow(scores, count, a.scale, row, first));
    if (high == kNothing) {
      Exponentials(scores, 0, columns, 0);
      continue;
    }
    const float sum = Exponentials(scores, count, columns, high);
    if (first > tile.first_key) {
      const float factor = scratch.high[i] == high ? 1.0f : std::exp(scratch.high[i] - high);
      if (factor != 1.0f) ScaleRow(scratch.result + i * result_step, result_step, factor);
      scratch.sum[i] = scratch.sum[i] * factor + sum;
    } else {
      scratch.sum[i] = sum;
    }
    scratch.high[i] = high;
  }
}

const float* Floats(const void* data, int64_t at) { return static_cast<const float*>(data) + at; }

const Bfloat16* Halves(const void* data, int64_t at) {
  return static_cast<const Bfloat16*>(data) + at;
}

// `rows` rows of `depth` elements, `step` apart: as they lie, or as floats in `buffer`. Sets `step`
// to the distance of the rows that are returned.
const float* RowsAsFloats(const void* data, bool narrow, int64_t at, int64_t rows, int64_t depth,
                          float* buffer, int64_t* step) {
  if (!narrow) return Floats(data, at);
  for (int64_t i = 0; i < rows; ++i) {
    WidenBfloat16(Halves(data, at + i * *step), buffer + i * depth, depth);
  }
  *step = depth;
  return buffer;
}

// Y of the tile: the sums divided by those of the exponentials.
void StoreResult(const StridedAttention& a, const AttentionTile& tile, int64_t result_step,
                 const AttentionBuffers& scratch, const AttentionOperands& operands) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < tile.rows; ++i) {
    float* from = scratch.result + i * result_step;
    const int64_t at = a.y.At(tile.b, tile.h, tile.row + i);
    // Halves are rounded from what takes the place of the sums.
    float* to = operands.narrow_output ? from : static_cast<float*>(operands.y) + at;
    const bool saw_none = scratch.high[i] == kNothing;
    const float nothing =
        a.zero_hidden_rows || a.keys == 0 ? 0.0f : std::numeric_limits<float>::quiet_NaN();
    const V factor = Const(saw_none ? nothing : 1.0f / scratch.sum[i]);
    for (int64_t c = 0; c < a.width; c += lanes) {
      const V value = saw_none ? factor : hn::Mul(hn::LoadU(d, from + c), factor);
      if (c + lanes <= a.width) {
        hn::StoreU(value, d, to + c);
      } else {
        StorePart(value, to + c, static_cast<size_t>(a.width - c));
      }
    }
    if (operands.narrow_output)
      RoundToBfloat16(from, static_cast<Bfloat16*>(operands.y) + at, a.width);
  }
}

void PackForTiles(const StridedAttention& a, const AttentionOperands& operands, int64_t b,
                  int64_t kv_head, const AttentionBuffers& scratch) {
  PackTransposedTiles(Halves(operands.k, a.k.At(b, kv_head, 0)), a.k.row, a.keys, a.depth,
                      scratch.narrow_rows(), scratch.narrow_keys());
  PackTiles(Halves(operands.v, a.v.At(b, kv_head, 0)), a.v.row, a.keys, a.width,
            scratch.narrow_values());
}

// K as panels of neighbouring keys, V as panels of neighbouring columns, zeros where there is none.
void PackHead(const StridedAttention& a, const AttentionOperands& operands, int64_t b,
              int64_t kv_head, const AttentionBuffers& scratch) {
  if (scratch.tile_registers) return PackForTiles(a, operands, b, kv_head, scratch);
  const int64_t panel = PanelColumns();
  for (int64_t j = 0; j < a.keys; j += panel) {
    const int64_t count = std::min(panel, a.keys - j);
    float* to = scratch.keys + j * a.depth;
    if (count < panel) std::fill_n(to, panel * a.depth, 0.0f);
    int64_t step = a.k.row;
    const float* rows = RowsAsFloats(operands.k, operands.narrow_inputs, a.k.At(b, kv_head, j),
                                     count, a.depth, scratch.wide, &step);
    TransposeTile(reinterpret_cast<const char*>(rows), step * static_cast<int64_t>(sizeof(float)),
                  reinterpret_cast<char*>(to), panel * static_cast<int64_t>(sizeof(float)), a.depth,
                  count, sizeof(float));
  }
  for (int64_t c = 0; c < a.width; c += panel) {
    const int64_t count = std::min(panel, a.width - c);
    float* to = scratch.values + c * a.keys;
    for (int64_t j = 0; j < a.keys; ++j, to += panel) {
      const int64_t at = a.v.At(b, kv_head, j) + c;
      if (operands.narrow_inputs) {
        WidenBfloat16(Halves(operands.v, at), to, count);
      } else {
        std::copy_n(Floats(operands.v, at), count, to);
      }
      std::fill(to + count, to + panel, 0.0f);
    }
  }
}

// The queries of a tile as its products take them.
struct TileQueries {
  TileQueries(const StridedAttention& a, const AttentionOperands& operands,
              const AttentionTile& tile, const AttentionBuffers& scratch)
      : step(a.q.row) {
    const int64_t at = a.q.At(tile.b, tile.h, tile.row);
    if (scratch.tile_registers) {
      CopyToSteps(Halves(operands.q, at), a.q.row, tile.rows, a.depth, scratch.narrow_rows());
    } else {
      floats = RowsAsFloats(operands.q, operands.narrow_inputs, at, tile.rows, a.depth,
                            scratch.wide, &step);
    }
  }
  const float* floats = nullptr;
  int64_t step;
};

// Scores of the tile and `columns` keys from `first`.
void MultiplyKeys(const StridedAttention& a, const TileQueries& q, int64_t rows, int64_t first,
                  int64_t columns, const AttentionBuffers& scratch) {
  if (scratch.tile_registers) {
    const int64_t depth = RoundUp(a.depth, kTileStep);
    MultiplyTiles(scratch.narrow_rows(), depth, depth / kTileStep,
                  {scratch.narrow_keys() + first * depth, depth / kTileStep}, 0, rows, columns,
                  false, scratch.scores, columns);
    return;
  }
  const int64_t panel = PanelColumns();
  for (int64_t j = 0; j < columns; j += panel) {
    MultiplyRows(q.floats, q.step, scratch.keys + (first + j) * a.depth, a.depth, rows, false,
                 scratch.scores + j, columns);
  }
}

// Result = exponentials times `block` rows of V from `first`, or what is added to it.
void MultiplyValues(const StridedAttention& a, int64_t rows, int64_t first, int64_t block,
                    int64_t columns, int64_t result_step, bool add,
                    const AttentionBuffers& scratch) {
  if (scratch.tile_registers) {
    RoundToBfloat16(scratch.scores, scratch.narrow, rows * columns);
    MultiplyTiles(scratch.narrow, columns, columns / kTileStep,
                  {scratch.narrow_values(), DivideUp(a.keys, kTileStep)}, first / kTileStep, rows,
                  result_step, add, scratch.result, result_step);
    return;
  }
  const int64_t panel = PanelColumns();
  for (int64_t c = 0; c < result_step; c += panel) {
    MultiplyRows(scratch.scores, columns, scratch.values + c * a.keys + first * panel, block, rows,
                 add, scratch.result + c, result_step);
  }
}

void RunTile(const StridedAttention& a, const AttentionOperands& operands,
             const AttentionTile& tile, const AttentionBuffers& scratch) {
  const int64_t panel = scratch.tile_registers ? kTileStep : PanelColumns();
  const int64_t result_step = RoundUp(a.width, panel);
  const int64_t seen = tile.end_key - tile.first_key;
  // Blocks of about equal size, none of a few keys.
  const int64_t blocks = std::max<int64_t>(1, (seen + kBlockKeys - 1) / kBlockKeys);
  const int64_t step = RoundUp(DivideUp(seen, blocks), panel);
  std::fill_n(scratch.high, tile.rows, kNothing);
  std::fill_n(scratch.sum, tile.rows, 0.0f);
  const TileQueries q(a, operands, tile, scratch);
  for (int64_t first = tile.first_key; first < tile.end_key; first += step) {
    const int64_t block = std::min(step, tile.end_key - first);
    const int64_t columns = RoundUp(block, panel);
    MultiplyKeys(a, q, tile.rows, first, columns, scratch);
    SoftmaxBlock(a, operands, tile, first, block, columns, result_step, scratch);
    MultiplyValues(a, tile.rows, first, block, columns, result_step, first > tile.first_key,
                   scratch);
  }
  StoreResult(a, tile, result_step, scratch, operands);
}

HWY_INLINE V LoadUpTo(const float* from, int64_t count) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(D()));
  return count >= lanes ? hn::LoadU(D(), from) : LoadPart(from, static_cast<size_t>(count));
}

// scores = q . k for `keys` rows of K, four at a time.
void MultiplyRow(const float* q, const float* k, int64_t step, int64_t keys, int64_t depth,
                 float* scores) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t j = 0; j < keys; j += 4) {
    // The last rows stand in for those past the end.
    const float* rows[4];
    for (int64_t i = 0; i < 4; ++i) rows[i] = k + std::min(j + i, keys - 1) * step;
    V s0 = hn::Zero(d);
    V s1 = s0;
    V s2 = s0;
    V s3 = s0;
    for (int64_t c = 0; c < depth; c += lanes) {
      const V x = LoadUpTo(q + c, depth - c);
      s0 = hn::MulAdd(x, LoadUpTo(rows[0] + c, depth - c), s0);
      s1 = hn::MulAdd(x, LoadUpTo(rows[1] + c, depth - c), s1);
      s2 = hn::MulAdd(x, LoadUpTo(rows[2] + c, depth - c), s2);
      s3 = hn::MulAdd(x, LoadUpTo(rows[3] + c, depth - c), s3);
    }
    scores[j] = hn::GetLane(hn::SumOfLanes(d, s0));
    scores[j + 1] = hn::GetLane(hn::SumOfLanes(d, s1));
    scores[j + 2] = hn::GetLane(hn::SumOfLanes(d, s2));
    scores[j + 3] = hn::GetLane(hn::SumOfLanes(d, s3));
  }
}

// y = p V for `keys` rows of V.
void AddValues(const float* p, const float* v, int64_t step, int64_t keys, int64_t width,
               float* y) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t c = 0;
  for (; c + 4 * lanes <= width; c += 4 * lanes) {
    V y0 = hn::Zero(d);
    V y1 = y0;
    V y2 = y0;
    V y3 = y0;
    for (int64_t j = 0; j < keys; ++j) {
      const float* row = v + j * step + c;
      const V factor = Const(p[j]);
      y0 = hn::MulAdd(factor, hn::LoadU(d, row), y0);
      y1 = hn::MulAdd(factor, hn::LoadU(d, row + lanes), y1);
      y2 = hn::MulAdd(factor, hn::LoadU(d, row + 2 * lanes), y2);
      y3 = hn::MulAdd(factor, hn::LoadU(d, row + 3 * lanes), y3);
    }
    hn::StoreU(y0, d, y + c);
    hn::StoreU(y1, d, y + c + lanes);
    hn::StoreU(y2, d, y + c + 2 * lanes);
    hn::StoreU(y3, d, y + c + 3 * lanes);
  }
  for (; c < width; c += lanes) {
    V sum = hn::Zero(d);
    for (int64_t j = 0; j < keys; ++j) {
      sum = hn::MulAdd(Const(p[j]), LoadUpTo(v + j * step + c, width - c), sum);
    }
    hn::StoreU(sum, d, y + c);
  }
}

// A few queries: K and V are read once and not packed, all scores of a row kept at once.
void RunRows(const StridedAttention& a, const AttentionOperands& operands,
             const AttentionTile& tile, const AttentionBuffers& scratch) {
  const int64_t kv_head = tile.h / a.group;
  for (int64_t i = 0; i < tile.rows; ++i) {
    AttentionTile row = tile;
    row.row = tile.row + i;
    row.rows = 1;
    FindSeenKeys(a, operands, &row);
    const int64_t first = row.first_key;
    const int64_t count = row.end_key - first;
    scratch.high[0] = kNothing;
    if (count > 0) {
      float* scores = scratch.keys;
      MultiplyRow(Floats(operands.q, a.q.At(row.b, row.h, row.row)),
                  Floats(operands.k, a.k.At(row.b, kv_head, first)), a.k.row, count, a.depth,
                  scores);
      scratch.high[0] =
          FinishRow(scores, count, a.scale, MaskOf(a, operands, row.b, row.h, row.row), first);
      scratch.sum[0] = Exponentials(scores, count, count, scratch.high[0]);
      AddValues(scores, Floats(operands.v, a.v.At(row.b, kv_head, first)), a.v.row, count, a.width,
                scratch.result);
    }
    StoreResult(a, row, 0, scratch, operands);
  }
}

void Run(const StridedAttention& a, const AttentionOperands& operands, int64_t begin, int64_t end,
         bool tile_registers, float* from) {
  const AttentionBuffers scratch(a, tile_registers, from);
  const int64_t tile_rows = TileRows(tile_registers);
  const int64_t tiles = DivideUp(a.queries, tile_rows);
  int64_t packed = -1;
  for (int64_t at = begin; at < end; ++at) {
    AttentionTile tile;
    tile.b = at / tiles / a.heads;
    tile.h = at / tiles % a.heads;
    tile.row = at % tiles * tile_rows;
    tile.rows = std::min(tile_rows, a.queries - tile.row);
    if (a.queries <= kFewQueries && !operands.narrow_inputs) {
      RunRows(a, operands, tile, scratch);
      continue;
    }
    const int64_t kv_head = tile.h / a.group;
    if (const int64_t head = tile.b * a.heads + kv_head; head != packed) {
      PackHead(a, operands, tile.b, kv_head, scratch);
      packed = head;
    }
    FindSeenKeys(a, operands, &tile);
    RunTile(a, operands, tile, scratch);
  }
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inferd::cpu {

HWY_EXPORT(Run);

namespace {
bool UsesTileRegisters(bool narrow_inputs) { return narrow_inputs && ComputesBfloat16Tiles(); }
}  // namespace

int64_t AttentionTiles(const StridedAttention& attention, bool narrow_inputs) {
  if (attention.width == 0) return 0;
  const int64_t rows = TileRows(UsesTileRegisters(narrow_inputs));
  return attention.batch * attention.heads * DivideUp(attention.queries, rows);
}

int64_t AttentionScratchFloats(const StridedAttention& attention, bool narrow_inputs) {
  return AttentionScratch(attention, UsesTileRegisters(narrow_inputs)).end;
}

void AttentionF32(const StridedAttention& attention, const AttentionOperands& operands,
                  int64_t begin, int64_t end, float* scratch) {
  const bool tile_registers = UsesTileRegisters(operands.narrow_inputs);
  std::optional<TileRegisters> registers;
  if (tile_registers) registers.emplace();
  HWY_DYNAMIC_DISPATCH(Run)(attention, operands, begin, end, tile_registers, scratch);
}

}  // namespace inferd::cpu
#endif  // HWY_ONCE
