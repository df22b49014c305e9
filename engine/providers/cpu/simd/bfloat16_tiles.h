#pragma once

#include <cstdint>

#include "engine/core/float16.h"

// Products of bfloat16 matrices in the tile registers of AMX. Only where ComputesBfloat16Tiles().
namespace inferd::cpu {

// Rows and depth of one step of a product, and the columns of two tiles.
inline constexpr int64_t kTileProductRows = 32;
inline constexpr int64_t kTileStep = 32;
// Rows of a tile, and its elements.
inline constexpr int64_t kTileSide = 16;
inline constexpr int64_t kTileElements = kTileSide * kTileStep;

// Sets up the tile registers of this thread, and gives them up at its end. Used by one thread at a
// time.
class TileRegisters {
 public:
  TileRegisters();
  ~TileRegisters();
  TileRegisters(const TileRegisters&) = delete;
  TileRegisters& operator=(const TileRegisters&) = delete;
};

// `count` rows of `depth` elements, `step` elements apart, to rows of `depth` rounded up to whole
// steps, zeros behind.
void CopyToSteps(const Bfloat16* from, int64_t step, int64_t count, int64_t depth, Bfloat16* to);

// Packs the transposed of `rows` rows of `depth` elements as the right side of a product: both are
// rounded up to whole steps, zeros where there is nothing. `buffer` takes a step of rows of `depth`
// rounded up.
void PackTransposedTiles(const Bfloat16* from, int64_t step, int64_t rows, int64_t depth,
                         Bfloat16* buffer, Bfloat16* to);
// Packs `depth` rows of `columns` elements as they are, likewise.
void PackTiles(const Bfloat16* from, int64_t step, int64_t depth, int64_t columns, Bfloat16* to);

// A right side, packed for a depth of `depth_steps` steps.
struct PackedTiles {
  const Bfloat16* data = nullptr;
  int64_t depth_steps = 0;
};

// c = a b, or c += a b where `add` is set. `a` has `depth_steps` steps a row, its rows are `a_step`
// elements apart; `b` begins at its `first_step` of depth. Of c, up to kTileProductRows rows,
// `columns` (whole steps) are written, and rows up to the next multiple of 16: a and c have them.
void MultiplyTiles(const Bfloat16* a, int64_t a_step, int64_t depth_steps, const PackedTiles& b,
                   int64_t first_step, int64_t rows, int64_t columns, bool add, float* c,
                   int64_t c_step);

// What one step of columns of a product reads, in elements.
struct TileOperands {
  const Bfloat16* a = nullptr;
  int64_t a_row = 0;               // between rows
  int64_t a_step = 0;              // between steps of depth
  const Bfloat16* left = nullptr;  // the tiles of the first half of the columns
  const Bfloat16* right = nullptr;
  int64_t b_step = 0;  // between steps of depth
  int64_t depth_steps = 0;
  // What is read later, to be fetched into the second cache: so many lines with every step.
  const Bfloat16* next = nullptr;
  int64_t next_lines = 0;
};

// MultiplyTiles for one step of columns.
void MultiplyTileStep(const TileOperands& operands, int64_t rows, bool add, float* c,
                      int64_t c_step);

}  // namespace inferd::cpu
