#include "engine/providers/cpu/simd/bfloat16_tiles.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "engine/providers/cpu/simd/tile_transpose.h"

namespace inferd::cpu {
namespace {

// What LDTILECFG reads.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

int64_t WholeSteps(int64_t count) { return (count + kTileStep - 1) / kTileStep * kTileStep; }

// The first `count` of 16 elements, zero-extended; zeros behind.
__attribute__((target("avx512f,avx512bw,avx512vl"), always_inline)) inline __m512i LoadPart(
    const Bfloat16* from, int64_t count) {
  const __mmask16 mask =
      count >= kTileSide ? 0xffff : static_cast<__mmask16>((1u << std::max<int64_t>(0, count)) - 1);
  return _mm512_maskz_cvtepu16_epi32(mask, _mm256_maskz_loadu_epi16(mask, from));
}

// One tile of two rows at a time, interleaved: [16 pairs of rows][16 columns][2].
__attribute__((target("avx512f,avx512bw,avx512vl"))) void InterleaveRows(const Bfloat16* from,
                                                                         int64_t step, int64_t rows,
                                                                         int64_t columns,
                                                                         Bfloat16* to) {
  for (int64_t i = 0; i < kTileStep; i += 2, to += kTileStep) {
    const __m512i even = LoadPart(from + i * step, i < rows ? columns : 0);
    const __m512i odd = LoadPart(from + (i + 1) * step, i + 1 < rows ? columns : 0);
    _mm512_storeu_si512(to, _mm512_or_si512(even, _mm512_maskz_slli_epi32(0xffff, odd, 16)));
  }
}

inline void FetchNext(TileFetch& fetch) {
  constexpr int64_t kLineElements = 64 / int64_t{sizeof(Bfloat16)};
  const Bfloat16* end = fetch.next + fetch.lines * kLineElements;
  if (fetch.soon) {
    for (; fetch.next < end; fetch.next += kLineElements) __builtin_prefetch(fetch.next, 0, 3);
  } else {
    for (; fetch.next < end; fetch.next += kLineElements) __builtin_prefetch(fetch.next, 0, 2);
  }
}

// g++ ignores the attribute on constructors.
__attribute__((target("amx-tile"))) void Configure(int64_t depth) {
  TileConfig config;
  for (const int a : {4, 5}) config.row_bytes[a] = static_cast<uint16_t>(2 * depth);
  for (const int b : {6, 7}) config.rows[b] = static_cast<uint8_t>(depth / 2);
  __asm__ volatile("" ::"m"(config));
  _tile_loadconfig(&config);
}

__attribute__((target("amx-tile"))) void Release() { _tile_release(); }

template <bool kTwoHigh>
__attribute__((target("amx-tile,amx-bf16"))) void MultiplyStep(const TileOperands& operands,
                                                               bool add, float* c, int64_t c_step) {
  const Bfloat16* a = operands.a;
  const Bfloat16* left = operands.left;
  const Bfloat16* right = operands.right;
  TileFetch fetch = operands.fetch;
  const int64_t a_bytes = operands.a_row * static_cast<int64_t>(sizeof(Bfloat16));
  const int64_t c_bytes = c_step * static_cast<int64_t>(sizeof(float));
  const int64_t below = kTileSide * operands.a_row;
  float* c_below = c + kTileSide * c_step;
  // The compiler does not know that loads of tiles read memory.
  __asm__ volatile("" ::: "memory");
  if (add) {
    _tile_loadd(0, c, c_bytes);
    _tile_loadd(1, c + kTileSide, c_bytes);
    if (kTwoHigh) {
      _tile_loadd(2, c_below, c_bytes);
      _tile_loadd(3, c_below + kTileSide, c_bytes);
    }
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int64_t k = 0; k < operands.depth_steps; ++k) {
    FetchNext(fetch);
    _tile_loadd(4, a, a_bytes);
    _tile_loadd(6, left, 64);
    _tile_loadd(7, right, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if (kTwoHigh) {
      _tile_loadd(5, a + below, a_bytes);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    a += operands.a_step;
    left += operands.b_step;
    right += operands.b_step;
  }
  _tile_stored(0, c, c_bytes);
  _tile_stored(1, c + kTileSide, c_bytes);
  if (kTwoHigh) {
    _tile_stored(2, c_below, c_bytes);
    _tile_stored(3, c_below + kTileSide, c_bytes);
  }
  __asm__ volatile("" ::: "memory");
}

template <bool kTwoHigh, bool kTwoWide>
__attribute__((target("amx-tile,amx-bf16"))) void MultiplyWindow(const TileWindow& window, bool add,
                                                                 float* sums) {
  constexpr int64_t kSumBytes = kTileStep * int64_t{sizeof(float)};
  const int64_t tile = window.depth * kTileSide;
  const int64_t a_bytes = window.a_row * static_cast<int64_t>(sizeof(Bfloat16));
  const int64_t below = kTileSide * window.a_row;
  const int32_t* offsets = window.offsets;
  const Bfloat16* b = window.b;
  TileFetch fetch = window.fetch;
  float* sums_below = sums + kTileSide * kTileStep;
  __asm__ volatile("" ::: "memory");
  if (add) {
    _tile_loadd(0, sums, kSumBytes);
    if (kTwoWide) _tile_loadd(1, sums + kTileSide, kSumBytes);
    if (kTwoHigh) _tile_loadd(2, sums_below, kSumBytes);
    if (kTwoHigh && kTwoWide) _tile_loadd(3, sums_below + kTileSide, kSumBytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int64_t k = 0; k < window.steps; ++k) {
    const Bfloat16* a = window.a + offsets[k];
    FetchNext(fetch);
    _tile_loadd(4, a, a_bytes);
    _tile_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    b += tile;
    if (kTwoWide) {
      _tile_loadd(7, b, 64);
      _tile_dpbf16ps(1, 4, 7);
      b += tile;
    }
    if (kTwoHigh) {
      _tile_loadd(5, a + below, a_bytes);
      _tile_dpbf16ps(2, 5, 6);
      if (kTwoWide) _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, sums, kSumBytes);
  if (kTwoWide) _tile_stored(1, sums + kTileSide, kSumBytes);
  if (kTwoHigh) _tile_stored(2, sums_below, kSumBytes);
  if (kTwoHigh && kTwoWide) _tile_stored(3, sums_below + kTileSide, kSumBytes);
  __asm__ volatile("" ::: "memory");
}

}  // namespace

TileRegisters::TileRegisters(int64_t depth) { Configure(depth); }

TileRegisters::~TileRegisters() { Release(); }

void CopyToSteps(const Bfloat16* from, int64_t step, int64_t count, int64_t depth, Bfloat16* to) {
  const int64_t to_step = WholeSteps(depth);
  for (int64_t i = 0; i < count; ++i, from += step, to += to_step) {
    std::copy_n(from, depth, to);
    std::fill(to + depth, to + to_step, Bfloat16());
  }
}

void PackTransposedTiles(const Bfloat16* from, int64_t step, int64_t rows, int64_t depth,
                         Bfloat16* buffer, Bfloat16* to) {
  const int64_t whole_depth = WholeSteps(depth);
  // Whole pairs at whole addresses need no copy.
  const bool as_is = depth == whole_depth && step % 2 == 0 &&
                     reinterpret_cast<uintptr_t>(from) % sizeof(uint32_t) == 0;
  for (int64_t row = 0; row < WholeSteps(rows); row += kTileSide) {
    const int64_t count = std::clamp<int64_t>(rows - row, 0, kTileSide);
    const Bfloat16* tile = from + row * step;
    int64_t tile_step = step;
    if (!as_is) {
      CopyToSteps(tile, step, count, depth, buffer);
      tile = buffer;
      tile_step = whole_depth;
    }
    if (count < kTileSide) std::fill_n(to, kTileSide * whole_depth, Bfloat16());
    if (count > 0)
      TransposeTile(reinterpret_cast<const char*>(tile),
                    tile_step * static_cast<int64_t>(sizeof(Bfloat16)), reinterpret_cast<char*>(to),
                    64, whole_depth / 2, count, sizeof(uint32_t));
    to += kTileSide * whole_depth;
  }
}

void PackTiles(const Bfloat16* from, int64_t step, int64_t depth, int64_t columns, Bfloat16* to) {
  for (int64_t c = 0; c < WholeSteps(columns); c += kTileSide) {
    for (int64_t k = 0; k < depth; k += kTileStep, to += kTileElements) {
      InterleaveRows(from + k * step + c, step, depth - k, columns - c, to);
    }
  }
}

void MultiplyTileStep(const TileOperands& operands, int64_t rows, bool add, float* c,
                      int64_t c_step) {
  if (rows > kTileSide) {
    MultiplyStep<true>(operands, add, c, c_step);
  } else {
    MultiplyStep<false>(operands, add, c, c_step);
  }
}

void MultiplyTileWindow(const TileWindow& window, int64_t rows, int64_t columns, bool add,
                        float* sums) {
  if (rows > kTileSide) {
    (columns > kTileSide ? MultiplyWindow<true, true> : MultiplyWindow<true, false>)(window, add,
                                                                                     sums);
  } else {
    (columns > kTileSide ? MultiplyWindow<false, true> : MultiplyWindow<false, false>)(window, add,
                                                                                       sums);
  }
}

void MultiplyTiles(const Bfloat16* a, int64_t a_step, int64_t depth_steps, const PackedTiles& b,
                   int64_t first_step, int64_t rows, int64_t columns, bool add, float* c,
                   int64_t c_step) {
  TileOperands operands{.a = a,
                        .a_row = a_step,
                        .a_step = kTileStep,
                        .b_step = kTileElements,
                        .depth_steps = depth_steps};
  for (int64_t j = 0; j < columns; j += kTileStep) {
    operands.left = b.data + (j / kTileSide * b.depth_steps + first_step) * kTileElements;
    operands.right = operands.left + b.depth_steps * kTileElements;
    MultiplyTileStep(operands, rows, add, c + j, c_step);
  }
}

}  // namespace inferd::cpu
