// The product of a few rows with a panel of columns, the sums in registers; compiled once per
// Highway target.
#if defined(INFERD_CPU_SIMD_TILE_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INFERD_CPU_SIMD_TILE_PRODUCT_INL_H_
#undef INFERD_CPU_SIMD_TILE_PRODUCT_INL_H_
#else
#define INFERD_CPU_SIMD_TILE_PRODUCT_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "engine/providers/cpu/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

// Rows of 16 floats are what a left operand is stored in: block after block of 16 columns, and in a
// block row after row, so that all of a tile's rows are at fixed distances.
constexpr int64_t kBlock = 16;

// As many rows as leave registers for two vectors of b and one of a.
constexpr int kMaxTileRows = HWY_TARGET == HWY_AVX3 ? 14 : 6;

// The sums of kRows rows times two vectors. A chain of structs because g++ keeps arrays of vectors
// in memory.
template <int kRows>
struct TileSums {
  TileSums<kRows - 1> others;
  V s0;
  V s1;

  HWY_INLINE void SetZero() {
    others.SetZero();
    s0 = hn::Zero(D());
    s1 = hn::Zero(D());
  }
  HWY_INLINE void AddProduct(const float* a, V b0, V b1) {
    others.AddProduct(a, b0, b1);
    const V x = hn::Set(D(), a[(kRows - 1) * kBlock]);
    s0 = hn::MulAdd(x, b0, s0);
    s1 = hn::MulAdd(x, b1, s1);
  }
  HWY_INLINE void Store(float* c) const {
    constexpr int64_t kLanes = HWY_LANES(float);
    others.Store(c);
    hn::StoreU(s0, D(), c + (kRows - 1) * 2 * kLanes);
    hn::StoreU(s1, D(), c + (kRows - 1) * 2 * kLanes + kLanes);
  }
};

template <>
struct TileSums<0> {
  HWY_INLINE void SetZero() {}
  HWY_INLINE void AddProduct(const float*, V, V) {}
  HWY_INLINE void Store(float*) const {}
};

// One panel of b: `blocks` * 16 rows of two vectors each.
struct TileOperands {
  const float* a;   // row 0 of the first block
  int64_t a_block;  // floats from a block to the next
  int64_t blocks;
  const float* b;
  const float* next;  // what will be read later
  int64_t next_step;  // floats of it to fetch ahead with each row of b
};

template <int kRows>
HWY_NOINLINE void TileProduct(const TileOperands& operands, float* c) {
  const D d;
  constexpr int64_t kLanes = HWY_LANES(float);
  TileSums<kRows> sums;
  sums.SetZero();
  const float* a = operands.a;
  const float* b = operands.b;
  const float* next = operands.next;
  const int64_t next_step = operands.next_step;
  for (int64_t block = 0; block < operands.blocks; ++block, a += operands.a_block) {
    for (int64_t k = 0; k < kBlock; ++k, b += 2 * kLanes, next += next_step) {
      // Into the second cache: the panel in use nearly fills the first.
      __builtin_prefetch(next, 0, 2);
      sums.AddProduct(a + k, hn::LoadU(d, b), hn::LoadU(d, b + kLanes));
    }
  }
  sums.Store(c);
}

template <int kRows>
HWY_INLINE void TileProductOf(int rows, const TileOperands& operands, float* c) {
  if (rows == kRows) {
    TileProduct<kRows>(operands, c);
  } else if constexpr (kRows > 1) {
    TileProductOf<kRows - 1>(rows, operands, c);
  }
}

// `rows` rows of a times a panel, into rows of two vectors each of c, in tiles of about equal
// height. Meanwhile fetches `next`, as many bytes as the panel has, into the cache.
HWY_INLINE void PanelProduct(TileOperands operands, int64_t rows, float* c) {
  constexpr int64_t kPanel = 2 * HWY_LANES(float);
  const int64_t tiles = (rows + kMaxTileRows - 1) / kMaxTileRows;
  operands.next_step = kPanel / tiles;
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t first = rows * i / tiles;
    const int64_t last = rows * (i + 1) / tiles;
    TileOperands tile = operands;
    tile.a += first * kBlock;
    TileProductOf<kMaxTileRows>(static_cast<int>(last - first), tile, c + first * kPanel);
    operands.next += operands.blocks * kBlock * operands.next_step;
  }
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif  // per-target include guard
