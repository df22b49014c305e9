#include "engine/providers/cpu/simd/rows_f32.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/providers/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/providers/cpu/simd/rows_f32.cc"
// The loop over targets must come before what it compiles again.
// clang-format off
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "engine/providers/cpu/simd/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

HWY_INLINE V LoadAll(const float* x) { return hn::LoadU(D(), x); }

// bfloat16 is the upper half of a float.
using Half = hn::Rebind<uint16_t, D>;
HWY_INLINE V Widen(hn::Vec<Half> halves) {
  const hn::RebindToUnsigned<D> du;
  return hn::BitCast(D(), hn::ShiftLeft<16>(hn::PromoteTo(du, halves)));
}
HWY_INLINE V LoadAll(const Bfloat16* x) { return Widen(hn::LoadU(Half(), &x->bits)); }
HWY_INLINE V LoadPart(const Bfloat16* x, size_t count) {
  HWY_ALIGN uint16_t lanes[HWY_LANES(float)] = {};
  for (size_t i = 0; i < count; ++i) lanes[i] = x[i].bits;
  return Widen(hn::Load(Half(), lanes));
}

// The last vector of a row; lanes past its end hold `fill`.
template <typename T>
HWY_INLINE V LoadLast(const T* x, size_t count, V fill) {
  return hn::IfThenElse(hn::FirstN(D(), count), LoadPart(x, count), fill);
}

// Folds a row with four accumulators: acc = step(acc, x), joined with `join`, starting at `start`;
// `fill` stands for the lanes past the end.
template <typename T, typename Step, typename Join>
HWY_INLINE V Fold(const T* x, size_t count, V start, V fill, const Step& step, const Join& join) {
  const size_t lanes = hn::Lanes(D());
  V a0 = start;
  V a1 = start;
  V a2 = start;
  V a3 = start;
  size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    a0 = step(a0, LoadAll(x + i));
    a1 = step(a1, LoadAll(x + i + lanes));
    a2 = step(a2, LoadAll(x + i + 2 * lanes));
    a3 = step(a3, LoadAll(x + i + 3 * lanes));
  }
  for (; i + lanes <= count; i += lanes) a0 = step(a0, LoadAll(x + i));
  if (i < count) a1 = step(a1, LoadLast(x + i, count - i, fill));
  return join(join(a0, a1), join(a2, a3));
}

HWY_INLINE float Total(V v) { return hn::GetLane(hn::SumOfLanes(D(), v)); }

// Max or min that gives NaN for NaN in either operand.
struct MaxNan {
  HWY_INLINE V operator()(V acc, V v) const {
    return hn::IfThenElse(hn::IsNaN(acc), acc, hn::Max(acc, v));
  }
};
struct MinNan {
  HWY_INLINE V operator()(V acc, V v) const {
    return hn::IfThenElse(hn::IsNaN(acc), acc, hn::Min(acc, v));
  }
};
struct Plus {
  HWY_INLINE V operator()(V acc, V v) const { return hn::Add(acc, v); }
};
struct PlusSquare {
  HWY_INLINE V operator()(V acc, V v) const { return hn::MulAdd(v, v, acc); }
};
struct PlusAbs {
  HWY_INLINE V operator()(V acc, V v) const { return hn::Add(acc, hn::Abs(v)); }
};

HWY_INLINE float MaxOf(const float* x, size_t count) {
  const V low = Const(-std::numeric_limits<float>::infinity());
  const V v = Fold(
      x, count, low, low, [](V acc, V u) { return hn::Max(acc, u); },
      [](V u, V w) { return hn::Max(u, w); });
  return hn::GetLane(hn::MaxOfLanes(D(), v));
}

// y = exp(x - high), returns its sum. `write` false leaves y alone.
template <bool kWrite>
HWY_INLINE float ExpShifted(const float* x, float* y, size_t count, float high) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const V shift = Const(high);
  V s0 = hn::Zero(d);
  V s1 = hn::Zero(d);
  size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const V e0 = ExpNotPositive(hn::Sub(hn::LoadU(d, x + i), shift));
    const V e1 = ExpNotPositive(hn::Sub(hn::LoadU(d, x + i + lanes), shift));
    if (kWrite) hn::StoreU(e0, d, y + i);
    if (kWrite) hn::StoreU(e1, d, y + i + lanes);
    s0 = hn::Add(s0, e0);
    s1 = hn::Add(s1, e1);
  }
  for (; i < count; i += lanes) {
    const size_t rest = std::min(lanes, count - i);
    const V e = ExpNotPositive(hn::Sub(LoadPart(x + i, rest), shift));
    if (kWrite) StorePart(e, y + i, rest);
    s0 = hn::Add(s0, hn::IfThenElseZero(hn::FirstN(d, rest), e));
  }
  return Total(hn::Add(s0, s1));
}

template <typename Fn>
HWY_INLINE void MapRow(const float* x, float* y, size_t count, const Fn& fn) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(fn(hn::LoadU(d, x + i)), d, y + i);
  if (i < count) StorePart(fn(LoadPart(x + i, count - i)), y + i, count - i);
}

void SoftmaxRows(const float* x, float* y, int64_t rows, int64_t cols, bool log) {
  const size_t n = static_cast<size_t>(cols);
  for (int64_t i = 0; i < rows; ++i, x += cols, y += cols) {
    const float high = MaxOf(x, n);
    if (log) {
      const float sum = ExpShifted<false>(x, y, n, high);
      const V shift = Const(high);
      const V log_sum = Const(std::log(sum));
      MapRow(x, y, n, [=](V v) { return hn::Sub(hn::Sub(v, shift), log_sum); });
    } else {
      const V scale = Const(1.0f / ExpShifted<true>(x, y, n, high));
      MapRow(y, y, n, [=](V v) { return hn::Mul(v, scale); });
    }
  }
}

// Applies fn(offset, count) to each vector of a row of `inner` floats.
template <typename Fn>
HWY_INLINE void ForVectors(size_t inner, const Fn& fn) {
  const size_t lanes = hn::Lanes(D());
  for (size_t j = 0; j < inner; j += lanes) fn(j, std::min(lanes, inner - j));
}

template <typename T>
HWY_INLINE V LoadUpTo(const T* x, size_t count) {
  return count == hn::Lanes(D()) ? LoadAll(x) : LoadPart(x, count);
}

HWY_INLINE void StoreUpTo(V v, float* y, size_t count) {
  if (count == hn::Lanes(D())) {
    hn::StoreU(v, D(), y);
  } else {
    StorePart(v, y, count);
  }
}

void SoftmaxColumns(const float* x, float* y, int64_t size, int64_t inner, bool log,
                    float* scratch) {
  const size_t n = static_cast<size_t>(inner);
  float* high = scratch;
  float* sum = scratch + inner;
  std::copy_n(x, n, high);
  for (int64_t k = 1; k < size; ++k) {
    ForVectors(n, [&](size_t j, size_t count) {
      const V v = LoadUpTo(x + k * inner + j, count);
      StoreUpTo(hn::Max(LoadUpTo(high + j, count), v), high + j, count);
    });
  }
  std::fill_n(sum, n, 0.0f);
  for (int64_t k = 0; k < size; ++k) {
    ForVectors(n, [&](size_t j, size_t count) {
      const V shifted = hn::Sub(LoadUpTo(x + k * inner + j, count), LoadUpTo(high + j, count));
      const V e = ExpNotPositive(shifted);
      StoreUpTo(log ? shifted : e, y + k * inner + j, count);
      StoreUpTo(hn::Add(LoadUpTo(sum + j, count), e), sum + j, count);
    });
  }
  for (int64_t k = 0; k < size; ++k) {
    ForVectors(n, [&](size_t j, size_t count) {
      const V v = LoadUpTo(y + k * inner + j, count);
      const V s = LoadUpTo(sum + j, count);
      StoreUpTo(log ? hn::Sub(v, Log(s)) : hn::Div(v, s), y + k * inner + j, count);
    });
  }
}

void Moments(const float* x, size_t count, float epsilon, float* mean, float* deviation) {
  const D d;
  const V zero = hn::Zero(d);
  const float size = static_cast<float>(count);
  const float average = Total(Fold(x, count, zero, zero, Plus(), Plus())) / size;
  const V m = Const(average);
  const V squares = Fold(
      x, count, zero, m,
      [=](V acc, V v) {
        const V difference = hn::Sub(v, m);
        return hn::MulAdd(difference, difference, acc);
      },
      Plus());
  *mean = average;
  *deviation = std::sqrt(Total(squares) / size + epsilon);
}

// y = (x - mean) * factor * scale + bias.
HWY_INLINE void NormalizeRow(const float* x, const float* scale, const float* bias, float mean,
                             float factor, float* y, size_t count) {
  const V m = Const(mean);
  const V f = Const(factor);
  ForVectors(count, [&](size_t j, size_t part) {
    V v = hn::Mul(hn::Sub(LoadUpTo(x + j, part), m), f);
    if (scale != nullptr && bias != nullptr) {
      v = hn::MulAdd(v, LoadUpTo(scale + j, part), LoadUpTo(bias + j, part));
    } else if (scale != nullptr) {
      v = hn::Mul(v, LoadUpTo(scale + j, part));
    } else if (bias != nullptr) {
      v = hn::Add(v, LoadUpTo(bias + j, part));
    }
    StoreUpTo(v, y + j, part);
  });
}

void LayerNormRows(const float* x, const float* scale, const float* bias, float epsilon, float* y,
                   int64_t rows, int64_t cols) {
  const size_t n = static_cast<size_t>(cols);
  for (int64_t i = 0; i < rows; ++i, x += cols, y += cols) {
    float mean = 0.0f;
    float deviation = 1.0f;
    Moments(x, n, epsilon, &mean, &deviation);
    NormalizeRow(x, scale, bias, mean, 1.0f / deviation, y, n);
  }
}

void RmsNormRows(const float* x, const float* scale, float epsilon, float* y, int64_t rows,
                 int64_t cols) {
  const D d;
  const size_t n = static_cast<size_t>(cols);
  for (int64_t i = 0; i < rows; ++i, x += cols, y += cols) {
    const V squares = Fold(x, n, hn::Zero(d), hn::Zero(d), PlusSquare(), Plus());
    const float mean = Total(squares) / static_cast<float>(cols);
    NormalizeRow(x, scale, nullptr, 0.0f, 1.0f / std::sqrt(mean + epsilon), y, n);
  }
}

void WeightedSum(const float* const* x, const float* weights, int64_t terms, float* y,
                 size_t count) {
  if (terms == 2) {  // linear interpolation
    const V a = Const(weights[0]);
    const V b = Const(weights[1]);
    ForVectors(count, [&](size_t j, size_t part) {
      const V v = hn::Mul(LoadUpTo(x[0] + j, part), a);
      StoreUpTo(hn::MulAdd(LoadUpTo(x[1] + j, part), b, v), y + j, part);
    });
    return;
  }
  ForVectors(count, [&](size_t j, size_t part) {
    V v = hn::Mul(LoadUpTo(x[0] + j, part), Const(weights[0]));
    for (int64_t t = 1; t < terms; ++t) {
      v = hn::MulAdd(LoadUpTo(x[t] + j, part), Const(weights[t]), v);
    }
    StoreUpTo(v, y + j, part);
  });
}

// The lanes of a maximum or minimum one by one: the vector reductions lose NaN.
template <typename Better>
HWY_INLINE float BestLane(V v, const Better& better) {
  const D d;
  HWY_ALIGN float lanes[HWY_LANES(float)];
  hn::Store(v, d, lanes);
  float best = lanes[0];
  for (size_t i = 1; i < hn::Lanes(d); ++i) {
    if (std::isnan(lanes[i]) || better(lanes[i], best)) best = lanes[i];
    if (std::isnan(best)) break;
  }
  return best;
}

template <typename T>
HWY_INLINE float ReduceRow(ReduceF32 op, const T* x, size_t n) {
  const V zero = hn::Zero(D());
  const V infinity = Const(std::numeric_limits<float>::infinity());
  switch (op) {
    case ReduceF32::kSum:
      return Total(Fold(x, n, zero, zero, Plus(), Plus()));
    case ReduceF32::kSumSquare:
      return Total(Fold(x, n, zero, zero, PlusSquare(), Plus()));
    case ReduceF32::kSumAbs:
      return Total(Fold(x, n, zero, zero, PlusAbs(), Plus()));
    case ReduceF32::kMax:
      return BestLane(Fold(x, n, hn::Neg(infinity), hn::Neg(infinity), MaxNan(), MaxNan()),
                      [](float a, float b) { return a > b; });
    case ReduceF32::kMin:
      return BestLane(Fold(x, n, infinity, infinity, MinNan(), MinNan()),
                      [](float a, float b) { return a < b; });
  }
  return 0.0f;
}

template <typename T>
HWY_INLINE void ReduceRowsOf(ReduceF32 op, const T* x, float* y, int64_t rows, int64_t cols,
                             float factor) {
  for (int64_t i = 0; i < rows; ++i) {
    y[i] = ReduceRow(op, x + i * cols, static_cast<size_t>(cols)) * factor;
  }
}

// acc[j] = step(acc[j], x[k][j]) for k in [0, size).
template <typename T, typename Step>
HWY_INLINE void FoldColumns(const T* x, float* acc, int64_t size, size_t inner, const Step& step) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t j = 0;
  for (; j + 2 * lanes <= inner; j += 2 * lanes) {
    V a0 = hn::LoadU(d, acc + j);
    V a1 = hn::LoadU(d, acc + j + lanes);
    const T* from = x + j;
    for (int64_t k = 0; k < size; ++k, from += inner) {
      a0 = step(a0, LoadAll(from));
      a1 = step(a1, LoadAll(from + lanes));
    }
    hn::StoreU(a0, d, acc + j);
    hn::StoreU(a1, d, acc + j + lanes);
  }
  for (; j < inner; j += lanes) {
    const size_t count = std::min(lanes, inner - j);
    V a = LoadPart(acc + j, count);
    for (int64_t k = 0; k < size; ++k) a = step(a, LoadUpTo(x + k * inner + j, count));
    StorePart(a, acc + j, count);
  }
}

// Sums go through partial sums of 64 rows, so that rounding errors grow slowly.
template <typename T, typename Step>
HWY_INLINE void SumColumns(const T* x, float* y, int64_t size, size_t inner, float factor,
                           float* part, const Step& step) {
  constexpr int64_t kBlock = 64;
  std::fill_n(y, inner, 0.0f);
  for (int64_t k = 0; k < size; k += kBlock) {
    std::fill_n(part, inner, 0.0f);
    FoldColumns(x + k * inner, part, std::min(kBlock, size - k), inner, step);
    for (size_t j = 0; j < inner; ++j) y[j] += part[j];
  }
  if (factor != 1.0f) {
    for (size_t j = 0; j < inner; ++j) y[j] *= factor;
  }
}

template <typename T>
HWY_INLINE void ReduceColumnsOf(ReduceF32 op, const T* x, float* y, int64_t size, int64_t inner,
                                float factor, float* scratch) {
  const size_t n = static_cast<size_t>(inner);
  switch (op) {
    case ReduceF32::kSum:
      return SumColumns(x, y, size, n, factor, scratch, Plus());
    case ReduceF32::kSumSquare:
      return SumColumns(x, y, size, n, factor, scratch, PlusSquare());
    case ReduceF32::kSumAbs:
      return SumColumns(x, y, size, n, factor, scratch, PlusAbs());
    case ReduceF32::kMax:
      std::copy_n(x, n, y);
      return FoldColumns(x + inner, y, size - 1, n, MaxNan());
    case ReduceF32::kMin:
      std::copy_n(x, n, y);
      return FoldColumns(x + inner, y, size - 1, n, MinNan());
  }
}

void ReduceRows(ReduceF32 op, const float* x, float* y, int64_t rows, int64_t cols, float factor) {
  ReduceRowsOf(op, x, y, rows, cols, factor);
}
void ReduceNarrowRows(ReduceF32 op, const Bfloat16* x, float* y, int64_t rows, int64_t cols,
                      float factor) {
  ReduceRowsOf(op, x, y, rows, cols, factor);
}
void ReduceColumns(ReduceF32 op, const float* x, float* y, int64_t size, int64_t inner,
                   float factor, float* scratch) {
  ReduceColumnsOf(op, x, y, size, inner, factor, scratch);
}
void ReduceNarrowColumns(ReduceF32 op, const Bfloat16* x, float* y, int64_t size, int64_t inner,
                         float factor, float* scratch) {
  ReduceColumnsOf(op, x, y, size, inner, factor, scratch);
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inferd::cpu {

HWY_EXPORT(SoftmaxRows);
HWY_EXPORT(SoftmaxColumns);
HWY_EXPORT(LayerNormRows);
HWY_EXPORT(RmsNormRows);
HWY_EXPORT(Moments);
HWY_EXPORT(WeightedSum);
HWY_EXPORT(ReduceRows);
HWY_EXPORT(ReduceColumns);
HWY_EXPORT(ReduceNarrowRows);
HWY_EXPORT(ReduceNarrowColumns);

void SoftmaxRowsF32(const float* x, float* y, int64_t rows, int64_t cols, bool log) {
  HWY_DYNAMIC_DISPATCH(SoftmaxRows)(x, y, rows, cols, log);
}

void SoftmaxColumnsF32(const float* x, float* y, int64_t size, int64_t inner, bool log,
                       float* scratch) {
  if (size > 0) HWY_DYNAMIC_DISPATCH(SoftmaxColumns)(x, y, size, inner, log, scratch);
}

void LayerNormRowsF32(const float* x, const float* scale, const float* bias, float epsilon,
                      float* y, int64_t rows, int64_t cols) {
  HWY_DYNAMIC_DISPATCH(LayerNormRows)(x, scale, bias, epsilon, y, rows, cols);
}

void RmsNormRowsF32(const float* x, const float* scale, float epsilon, float* y, int64_t rows,
                    int64_t cols) {
  HWY_DYNAMIC_DISPATCH(RmsNormRows)(x, scale, epsilon, y, rows, cols);
}

void MomentsF32(const float* x, int64_t count, float epsilon, float* mean, float* deviation) {
  HWY_DYNAMIC_DISPATCH(Moments)(x, static_cast<size_t>(count), epsilon, mean, deviation);
}

void WeightedSumF32(const float* const* x, const float* weights, int64_t terms, float* y,
                    int64_t count) {
  HWY_DYNAMIC_DISPATCH(WeightedSum)(x, weights, terms, y, static_cast<size_t>(count));
}

void ReduceRowsF32(ReduceF32 op, const float* x, float* y, int64_t rows, int64_t cols,
                   float factor) {
  HWY_DYNAMIC_DISPATCH(ReduceRows)(op, x, y, rows, cols, factor);
}

void ReduceColumnsF32(ReduceF32 op, const float* x, float* y, int64_t size, int64_t inner,
                      float factor, float* scratch) {
  HWY_DYNAMIC_DISPATCH(ReduceColumns)(op, x, y, size, inner, factor, scratch);
}

void ReduceRowsF32(ReduceF32 op, const Bfloat16* x, float* y, int64_t rows, int64_t cols,
                   float factor) {
  HWY_DYNAMIC_DISPATCH(ReduceNarrowRows)(op, x, y, rows, cols, factor);
}

void ReduceColumnsF32(ReduceF32 op, const Bfloat16* x, float* y, int64_t size, int64_t inner,
                      float factor, float* scratch) {
  HWY_DYNAMIC_DISPATCH(ReduceNarrowColumns)(op, x, y, size, inner, factor, scratch);
}

}  // namespace inferd::cpu
#endif  // HWY_ONCE
