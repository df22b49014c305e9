#include "engine/providers/cpu/simd/binary_f32.h"

#include <algorithm>
#include <cmath>

#include "engine/providers/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/providers/cpu/simd/binary_f32.cc"
// The loop over targets must come before what it compiles again.
// clang-format off
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "engine/providers/cpu/simd/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

// One row; an operand whose step is 0 is one value in all lanes.
template <bool kSpreadA, bool kSpreadB, typename Fn>
HWY_INLINE void MapRow(const float* a, const float* b, float* y, size_t count, const Fn& fn) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const V a0 = hn::Set(d, a[0]);
  const V b0 = hn::Set(d, b[0]);
  const auto load_a = [&](size_t i) HWY_ATTR { return kSpreadA ? a0 : hn::LoadU(d, a + i); };
  const auto load_b = [&](size_t i) HWY_ATTR { return kSpreadB ? b0 : hn::LoadU(d, b + i); };
  size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const V first = fn(load_a(i), load_b(i));
    const V second = fn(load_a(i + lanes), load_b(i + lanes));
    hn::StoreU(first, d, y + i);
    hn::StoreU(second, d, y + i + lanes);
  }
  for (; i + lanes <= count; i += lanes) hn::StoreU(fn(load_a(i), load_b(i)), d, y + i);
  if (i < count) {
    const size_t rest = count - i;
    const V last_a = kSpreadA ? a0 : LoadPart(a + i, rest);
    const V last_b = kSpreadB ? b0 : LoadPart(b + i, rest);
    StorePart(fn(last_a, last_b), y + i, rest);
  }
}

constexpr int64_t kGather = 256;

// An operand with another step than 0 and 1 is gathered piece by piece first.
template <typename Fn>
void MapGathered(const BinaryRows& r, const float* a, const float* b, float* y, const Fn& fn) {
  alignas(64) float part_a[kGather];
  alignas(64) float part_b[kGather];
  for (int64_t j = 0; j < r.cols; j += kGather) {
    const int64_t count = std::min(kGather, r.cols - j);
    for (int64_t k = 0; k < count; ++k) {
      part_a[k] = a[(j + k) * r.a_col];
      part_b[k] = b[(j + k) * r.b_col];
    }
    MapRow<false, false>(part_a, part_b, y + j, static_cast<size_t>(count), fn);
  }
}

template <typename Fn>
HWY_INLINE void MapRows(const BinaryRows& r, const float* a, const float* b, float* y,
                        const Fn& fn) {
  const size_t n = static_cast<size_t>(r.cols);
  const bool near = r.a_col >= 0 && r.a_col <= 1 && r.b_col >= 0 && r.b_col <= 1;
  for (int64_t i = 0; i < r.rows; ++i, a += r.a_row, b += r.b_row, y += r.cols) {
    if (!near || (r.a_col == 0 && r.b_col == 0)) {
      MapGathered(r, a, b, y, fn);
    } else if (r.b_col == 0) {
      MapRow<false, true>(a, b, y, n, fn);
    } else if (r.a_col == 0) {
      MapRow<true, false>(a, b, y, n, fn);
    } else {
      MapRow<false, false>(a, b, y, n, fn);
    }
  }
}

// NaN in either operand wins, whatever Min and Max do with it.
HWY_INLINE V KeepNan(V a, V b, V y) {
  return hn::IfThenElse(hn::IsNaN(a), a, hn::IfThenElse(hn::IsNaN(b), b, y));
}

void RunRows(BinaryF32 op, const BinaryRows& r, const float* a, const float* b, float* y) {
  switch (op) {
    case BinaryF32::kAdd:
      return MapRows(r, a, b, y, [](V u, V v) { return hn::Add(u, v); });
    case BinaryF32::kSub:
      return MapRows(r, a, b, y, [](V u, V v) { return hn::Sub(u, v); });
    case BinaryF32::kMul:
      return MapRows(r, a, b, y, [](V u, V v) { return hn::Mul(u, v); });
    case BinaryF32::kDiv:
      return MapRows(r, a, b, y, [](V u, V v) { return hn::Div(u, v); });
    case BinaryF32::kMin:
      return MapRows(r, a, b, y, [](V u, V v) { return KeepNan(u, v, hn::Min(u, v)); });
    case BinaryF32::kMax:
      return MapRows(r, a, b, y, [](V u, V v) { return KeepNan(u, v, hn::Max(u, v)); });
    case BinaryF32::kPrelu:
      return MapRows(r, a, b, y, [](V u, V v) {
        return hn::IfThenElse(hn::Lt(u, hn::Zero(D())), hn::Mul(u, v), u);
      });
    case BinaryF32::kPow:
      for (int64_t i = 0; i < r.rows; ++i) {
        for (int64_t j = 0; j < r.cols; ++j) {
          y[i * r.cols + j] = std::pow(a[i * r.a_row + j * r.a_col], b[i * r.b_row + j * r.b_col]);
        }
      }
      return;
  }
}

void ScaleShift(const float* x, const float* scale, const float* shift, float* y, size_t count) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const V v = hn::MulAdd(hn::LoadU(d, x + i), hn::LoadU(d, scale + i), hn::LoadU(d, shift + i));
    hn::StoreU(v, d, y + i);
  }
  if (i < count) {
    const size_t rest = count - i;
    StorePart(
        hn::MulAdd(LoadPart(x + i, rest), LoadPart(scale + i, rest), LoadPart(shift + i, rest)),
        y + i, rest);
  }
}

void ScaleShiftAll(const float* x, float scale, float shift, float* y, size_t count) {
  const V s = Const(scale);
  const V t = Const(shift);
  MapRow<false, true>(x, &scale, y, count, [=](V v, V) { return hn::MulAdd(v, s, t); });
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inferd::cpu {

HWY_EXPORT(RunRows);
HWY_EXPORT(ScaleShift);
HWY_EXPORT(ScaleShiftAll);

void RunBinaryF32(BinaryF32 op, const BinaryRows& rows, const float* a, const float* b, float* y) {
  if (rows.rows > 0 && rows.cols > 0) HWY_DYNAMIC_DISPATCH(RunRows)(op, rows, a, b, y);
}

void RunScaleShiftF32(const float* x, const float* scale, const float* shift, float* y,
                      int64_t count) {
  HWY_DYNAMIC_DISPATCH(ScaleShift)(x, scale, shift, y, static_cast<size_t>(count));
}

void RunScaleShiftF32(const float* x, float scale, float shift, float* y, int64_t count) {
  HWY_DYNAMIC_DISPATCH(ScaleShiftAll)(x, scale, shift, y, static_cast<size_t>(count));
}

}  // namespace inferd::cpu
#endif  // HWY_ONCE
