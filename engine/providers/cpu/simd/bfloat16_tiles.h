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

// Sets up the tile registers of this thread for steps of `depth` elements, an even number up to
// kTileStep, and gives them up at its end. Used by one thread at a time.
class TileRegisters {
 public:
  explicit TileRegisters(int64_t depth = kTileStep);
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

// What is read later, to be fetched with every step of the depth: so many lines of cache, into the
// second cache or, where they are needed within a few steps, the first.
struct TileFetch {
  const Bfloat16* next = nullptr;
  int64_t lines = 0;
  bool soon = false;
};
// Steps that weights are fetched ahead where they are needed soon.
inline constexpr int64_t kSoonSteps = 4;

// What one step of columns of a product reads, in elements.
struct TileOperands {
  const Bfloat16* a = nullptr;
  int64_t a_row = 0;               // between rows
  int64_t a_step = 0;              // between steps of depth
  const Bfloat16* left = nullptr;  // the tiles of the first half of the columns
  const Bfloat16* right = nullptr;
  int64_t b_step = 0;  // between steps of depth
  int64_t depth_steps = 0;
  TileFetch fetch;
};

// MultiplyTiles for one step of columns.
void MultiplyTileStep(const TileOperands& operands, int64_t rows, bool add, float* c,
                      int64_t c_step);

// The same where the steps of a's depth lie anywhere, as the pixels under a window do.
struct TileWindow {
  const Bfloat16* a = nullptr;
  int64_t a_row = 0;                 // between rows
  const int32_t* offsets = nullptr;  // of each step, from a
  const Bfloat16* b = nullptr;       // step after step, the left tile before the right one
  int64_t steps = 0;
  int64_t depth = kTileStep;  // of one step, as the TileRegisters are set up
  TileFetch fetch;
};

// `sums`, [kTileProductRows, kTileStep], become a b, or a b is added where `add` is set. There are
// one tile of columns and none to the right for up to kTileSide `columns`, and likewise rows, of
// which whole tiles are read and written.
void MultiplyTileWindow(const TileWindow& window, int64_t rows, int64_t columns, bool add,
                        float* sums);

}  // namespace inferd::cpu
