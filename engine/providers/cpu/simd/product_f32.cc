#include "engine/providers/cpu/simd/product_f32.h"

#include <algorithm>

#include "engine/providers/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/providers/cpu/simd/product_f32.cc"
// The loop over targets must come before what it compiles again.
// clang-format off
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "engine/providers/cpu/simd/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

HWY_INLINE void StoreCols(V v, float* to, int64_t cols) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(D()));
  if (cols >= lanes) {
    hn::StoreU(v, D(), to);
  } else if (cols > 0) {
    StorePart(v, to, static_cast<size_t>(cols));
  }
}

// Four rows times two vectors. The accumulators are written out because g++ keeps arrays of them
// in memory.
HWY_INLINE void FourRows(const float* a, const float* b, const float* bias, int64_t depth,
                         int64_t b_step, float* c, int64_t c_step, int64_t cols) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V c00 = hn::LoadU(d, bias);
  V c01 = hn::LoadU(d, bias + lanes);
  V c10 = c00;
  V c11 = c01;
  V c20 = c00;
  V c21 = c01;
  V c30 = c00;
  V c31 = c01;
  for (int64_t k = 0; k < depth; ++k, b += b_step) {
    const V b0 = hn::LoadU(d, b);
    const V b1 = hn::LoadU(d, b + lanes);
    const V a0 = hn::Set(d, a[k]);
    const V a1 = hn::Set(d, a[depth + k]);
    const V a2 = hn::Set(d, a[2 * depth + k]);
    const V a3 = hn::Set(d, a[3 * depth + k]);
    c00 = hn::MulAdd(a0, b0, c00);
    c01 = hn::MulAdd(a0, b1, c01);
    c10 = hn::MulAdd(a1, b0, c10);
    c11 = hn::MulAdd(a1, b1, c11);
    c20 = hn::MulAdd(a2, b0, c20);
    c21 = hn::MulAdd(a2, b1, c21);
    c30 = hn::MulAdd(a3, b0, c30);
    c31 = hn::MulAdd(a3, b1, c31);
  }
  const int64_t rest = cols - static_cast<int64_t>(lanes);
  StoreCols(c00, c, cols);
  StoreCols(c01, c + lanes, rest);
  StoreCols(c10, c + c_step, cols);
  StoreCols(c11, c + c_step + lanes, rest);
  StoreCols(c20, c + 2 * c_step, cols);
  StoreCols(c21, c + 2 * c_step + lanes, rest);
  StoreCols(c30, c + 3 * c_step, cols);
  StoreCols(c31, c + 3 * c_step + lanes, rest);
}

HWY_INLINE void OneRow(const float* a, const float* b, const float* bias, int64_t depth,
                       int64_t b_step, float* c, int64_t cols) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V c0 = hn::LoadU(d, bias);
  V c1 = hn::LoadU(d, bias + lanes);
  for (int64_t k = 0; k < depth; ++k, b += b_step) {
    const V a0 = hn::Set(d, a[k]);
    c0 = hn::MulAdd(a0, hn::LoadU(d, b), c0);
    c1 = hn::MulAdd(a0, hn::LoadU(d, b + lanes), c1);
  }
  StoreCols(c0, c, cols);
  StoreCols(c1, c + lanes, cols - static_cast<int64_t>(lanes));
}

void Product(const float* a, int64_t rows, const PackedMatrix& b, float* c) {
  const int64_t step = 2 * static_cast<int64_t>(hn::Lanes(D()));
  for (int64_t j = 0; j < b.cols; j += step) {
    const float* values = b.values.data() + j;
    const float* bias = b.bias.data() + j;
    int64_t i = 0;
    for (; i + 4 <= rows; i += 4) {
      FourRows(a + i * b.depth, values, bias, b.depth, b.padded_cols, c + i * b.cols + j, b.cols,
               b.cols - j);
    }
    for (; i < rows; ++i) {
      OneRow(a + i * b.depth, values, bias, b.depth, b.padded_cols, c + i * b.cols + j, b.cols - j);
    }
  }
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inferd::cpu {
namespace {

constexpr int64_t kPadding = 32;  // two of the longest vectors

}  // namespace

HWY_EXPORT(Product);

PackedMatrix::PackedMatrix(const float* from, const float* from_bias, int64_t depth_in,
                           int64_t cols_in)
    : depth(depth_in),
      cols(cols_in),
      padded_cols((cols_in + kPadding - 1) / kPadding * kPadding),
      values(depth * padded_cols, 0.0f),
      bias(padded_cols, 0.0f) {
  for (int64_t k = 0; k < depth; ++k) {
    std::copy_n(from + k * cols, cols, values.data() + k * padded_cols);
  }
  if (from_bias != nullptr) std::copy_n(from_bias, cols, bias.data());
}

void ProductF32(const float* a, int64_t rows, const PackedMatrix& b, float* c) {
  HWY_DYNAMIC_DISPATCH(Product)(a, rows, b, c);
}

}  // namespace inferd::cpu
#endif  // HWY_ONCE
