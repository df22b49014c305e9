#include "engine/providers/cpu/simd/tile_transpose.h"

#include <algorithm>
#include <cstring>

#include "engine/providers/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/providers/cpu/simd/tile_transpose.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int64_t kTile = 16;  // a cache line of four-byte elements

template <typename T>
HWY_INLINE void TransposeScalar(const char* src, int64_t src_step, char* dst, int64_t dst_step,
                                int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) {
      T value;
      std::memcpy(&value, src + c * src_step + r * sizeof(T), sizeof(T));
      std::memcpy(dst + r * dst_step + c * sizeof(T), &value, sizeof(T));
    }
  }
}

#if HWY_TARGET == HWY_SCALAR
constexpr int64_t kBlock = 1;

HWY_INLINE void TransposeBlock(const char* src, int64_t src_step, char* dst, int64_t dst_step) {
  TransposeScalar<uint32_t>(src, src_step, dst, dst_step, 1, 1);
}
#else
using D4 = hn::CappedTag<float, 8>;
using D8 = hn::Repartition<double, D4>;
using V4 = hn::Vec<D4>;
constexpr int64_t kBlock = HWY_TARGET == HWY_SSE4 ? 4 : 8;

// Four vectors a, b, c, d: within each 128-bit block, lane i of all four become vector i.
HWY_INLINE void TransposeFour(V4& a, V4& b, V4& c, V4& d) {
  const D4 d4;
  const D8 d8;
  const auto ab_low = hn::BitCast(d8, hn::InterleaveLower(d4, a, b));
  const auto ab_high = hn::BitCast(d8, hn::InterleaveUpper(d4, a, b));
  const auto cd_low = hn::BitCast(d8, hn::InterleaveLower(d4, c, d));
  const auto cd_high = hn::BitCast(d8, hn::InterleaveUpper(d4, c, d));
  a = hn::BitCast(d4, hn::InterleaveLower(d8, ab_low, cd_low));
  b = hn::BitCast(d4, hn::InterleaveUpper(d8, ab_low, cd_low));
  c = hn::BitCast(d4, hn::InterleaveLower(d8, ab_high, cd_high));
  d = hn::BitCast(d4, hn::InterleaveUpper(d8, ab_high, cd_high));
}

HWY_INLINE V4 LoadRow(const char* from) {
  return hn::LoadU(D4(), reinterpret_cast<const float*>(from));
}

HWY_INLINE void StoreRow(V4 v, char* to) { hn::StoreU(v, D4(), reinterpret_cast<float*>(to)); }

// kBlock by kBlock elements of four bytes.
HWY_INLINE void TransposeBlock(const char* src, int64_t s, char* dst, int64_t t) {
  V4 a = LoadRow(src);
  V4 b = LoadRow(src + s);
  V4 c = LoadRow(src + 2 * s);
  V4 d = LoadRow(src + 3 * s);
  TransposeFour(a, b, c, d);
#if HWY_TARGET == HWY_SSE4
  StoreRow(a, dst);
  StoreRow(b, dst + t);
  StoreRow(c, dst + 2 * t);
  StoreRow(d, dst + 3 * t);
#else
  V4 e = LoadRow(src + 4 * s);
  V4 f = LoadRow(src + 5 * s);
  V4 g = LoadRow(src + 6 * s);
  V4 h = LoadRow(src + 7 * s);
  TransposeFour(e, f, g, h);
  const D4 d4;
  StoreRow(hn::ConcatLowerLower(d4, e, a), dst);
  StoreRow(hn::ConcatLowerLower(d4, f, b), dst + t);
  StoreRow(hn::ConcatLowerLower(d4, g, c), dst + 2 * t);
  StoreRow(hn::ConcatLowerLower(d4, h, d), dst + 3 * t);
  StoreRow(hn::ConcatUpperUpper(d4, e, a), dst + 4 * t);
  StoreRow(hn::ConcatUpperUpper(d4, f, b), dst + 5 * t);
  StoreRow(hn::ConcatUpperUpper(d4, g, c), dst + 6 * t);
  StoreRow(hn::ConcatUpperUpper(d4, h, d), dst + 7 * t);
#endif
}
#endif  // HWY_TARGET == HWY_SCALAR

void TransposeFourBytes(const char* src, int64_t src_step, char* dst, int64_t dst_step,
                        int64_t rows, int64_t cols) {
  const int64_t whole_rows = rows / kBlock * kBlock;
  const int64_t whole_cols = cols / kBlock * kBlock;
  for (int64_t c0 = 0; c0 < whole_cols; c0 += kTile) {
    const int64_t c1 = std::min(whole_cols, c0 + kTile);
    for (int64_t r = 0; r < whole_rows; r += kBlock) {
      for (int64_t c = c0; c < c1; c += kBlock) {
        TransposeBlock(src + c * src_step + r * 4, src_step, dst + r * dst_step + c * 4, dst_step);
      }
    }
  }
  if (whole_rows < rows) {
    TransposeScalar<uint32_t>(src + whole_rows * 4, src_step, dst + whole_rows * dst_step, dst_step,
                              rows - whole_rows, cols);
  }
  if (whole_cols < cols) {
    TransposeScalar<uint32_t>(src + whole_cols * src_step, src_step, dst + whole_cols * 4, dst_step,
                              whole_rows, cols - whole_cols);
  }
}

template <typename T>
void TransposeTyped(const char* src, int64_t src_step, char* dst, int64_t dst_step, int64_t rows,
                    int64_t cols) {
  for (int64_t c = 0; c < cols; c += kTile) {
    for (int64_t r = 0; r < rows; r += kTile) {
      TransposeScalar<T>(src + c * src_step + r * sizeof(T), src_step,
                         dst + r * dst_step + c * sizeof(T), dst_step, std::min(kTile, rows - r),
                         std::min(kTile, cols - c));
    }
  }
}

// The rows of three columns that follow each other, as pixels of images do; returns how many.
int64_t InterleaveThreeHalves(const char* src, int64_t src_step, char* dst, int64_t rows) {
  const hn::ScalableTag<uint16_t> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto load = [&](int64_t c, int64_t r) HWY_ATTR {
    return hn::LoadU(d, reinterpret_cast<const uint16_t*>(src + c * src_step) + r);
  };
  int64_t r = 0;
  for (; r + lanes <= rows; r += lanes) {
    hn::StoreInterleaved3(load(0, r), load(1, r), load(2, r), d,
                          reinterpret_cast<uint16_t*>(dst) + 3 * r);
  }
  return r;
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inferd::cpu {

HWY_EXPORT(TransposeFourBytes);
HWY_EXPORT(InterleaveThreeHalves);

namespace {

void TransposeTwoBytes(const char* src, int64_t src_step, char* dst, int64_t dst_step, int64_t rows,
                       int64_t cols) {
  if (cols == 3 && dst_step == 3 * static_cast<int64_t>(sizeof(uint16_t))) {
    const int64_t done = HWY_DYNAMIC_DISPATCH(InterleaveThreeHalves)(src, src_step, dst, rows);
    src += done * static_cast<int64_t>(sizeof(uint16_t));
    dst += done * dst_step;
    rows -= done;
  }
  HWY_STATIC_DISPATCH(TransposeTyped<uint16_t>)(src, src_step, dst, dst_step, rows, cols);
}

}  // namespace

void TransposeTile(const char* src, int64_t src_step, char* dst, int64_t dst_step, int64_t rows,
                   int64_t cols, int64_t unit_bytes) {
  struct Pair {
    uint64_t halves[2];
  };
  switch (unit_bytes) {
    case 1:
      return HWY_STATIC_DISPATCH(TransposeTyped<uint8_t>)(src, src_step, dst, dst_step, rows, cols);
    case 2:
      return TransposeTwoBytes(src, src_step, dst, dst_step, rows, cols);
    case 4:
      return HWY_DYNAMIC_DISPATCH(TransposeFourBytes)(src, src_step, dst, dst_step, rows, cols);
    case 8:
      return HWY_STATIC_DISPATCH(TransposeTyped<uint64_t>)(src, src_step, dst, dst_step, rows,
                                                           cols);
    default:
      return HWY_STATIC_DISPATCH(TransposeTyped<Pair>)(src, src_step, dst, dst_step, rows, cols);
  }
}

}  // namespace inferd::cpu
#endif  // HWY_ONCE
