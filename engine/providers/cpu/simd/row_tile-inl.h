// Products of a few rows with a panel of columns, compiled once per Highway target.
#if defined(INFERD_CPU_SIMD_ROW_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INFERD_CPU_SIMD_ROW_TILE_INL_H_
#undef INFERD_CPU_SIMD_ROW_TILE_INL_H_
#else
#define INFERD_CPU_SIMD_ROW_TILE_INL_H_
#endif

#include <cstdint>

#include "engine/providers/cpu/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

// A panel is two vectors wide.
HWY_INLINE int64_t PanelColumns() { return 2 * static_cast<int64_t>(hn::Lanes(D())); }

// Accumulators of rows by two vectors. One member a row, each in the next struct: g++ keeps arrays
// of vectors in memory, members in registers.
template <int kRows>
struct RowTile {
  RowTile<kRows - 1> above;
  V left, right;

  HWY_INLINE void Clear() {
    above.Clear();
    left = right = hn::Zero(D());
  }
  HWY_INLINE void Load(const float* c, int64_t step) {
    above.Load(c, step);
    left = hn::LoadU(D(), c + (kRows - 1) * step);
    right = hn::LoadU(D(), c + (kRows - 1) * step + hn::Lanes(D()));
  }
  HWY_INLINE void Add(const float* a, int64_t step, V b_left, V b_right) {
    above.Add(a, step, b_left, b_right);
    const V factor = Const(a[(kRows - 1) * step]);
    left = hn::MulAdd(factor, b_left, left);
    right = hn::MulAdd(factor, b_right, right);
  }
  HWY_INLINE void Store(float* c, int64_t step) const {
    above.Store(c, step);
    hn::StoreU(left, D(), c + (kRows - 1) * step);
    hn::StoreU(right, D(), c + (kRows - 1) * step + hn::Lanes(D()));
  }
};

template <>
struct RowTile<0> {
  HWY_INLINE void Clear() {}
  HWY_INLINE void Load(const float*, int64_t) {}
  HWY_INLINE void Add(const float*, int64_t, V, V) {}
  HWY_INLINE void Store(float*, int64_t) const {}
};

// c = a b, or c += a b: a has kRows rows of `depth`, b is a panel of `depth` rows.
template <int kRows>
HWY_NOINLINE void MultiplyTile(const float* a, int64_t a_step, const float* b, int64_t depth,
                               bool add, float* c, int64_t c_step) {
  const D d;
  RowTile<kRows> tile;
  if (add) {
    tile.Load(c, c_step);
  } else {
    tile.Clear();
  }
  for (int64_t k = 0; k < depth; ++k, b += PanelColumns()) {
    tile.Add(a + k, a_step, hn::LoadU(d, b), hn::LoadU(d, b + hn::Lanes(d)));
  }
  tile.Store(c, c_step);
}

// The same for any number of rows. As many at a time as leave registers for the panel.
HWY_INLINE void MultiplyRows(const float* a, int64_t a_step, const float* b, int64_t depth,
                             int64_t rows, bool add, float* c, int64_t c_step) {
#if HWY_TARGET == HWY_AVX3
  constexpr int kMost = 8;
#else
  constexpr int kMost = 6;
#endif
  for (; rows >= kMost; rows -= kMost, a += kMost * a_step, c += kMost * c_step) {
    MultiplyTile<kMost>(a, a_step, b, depth, add, c, c_step);
  }
  switch (rows) {
    case 7:
      return MultiplyTile<7>(a, a_step, b, depth, add, c, c_step);
    case 6:
      return MultiplyTile<6>(a, a_step, b, depth, add, c, c_step);
    case 5:
      return MultiplyTile<5>(a, a_step, b, depth, add, c, c_step);
    case 4:
      return MultiplyTile<4>(a, a_step, b, depth, add, c, c_step);
    case 3:
      return MultiplyTile<3>(a, a_step, b, depth, add, c, c_step);
    case 2:
      return MultiplyTile<2>(a, a_step, b, depth, add, c, c_step);
    case 1:
      return MultiplyTile<1>(a, a_step, b, depth, add, c, c_step);
    default:
      return;
  }
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif  // per-target include guard
