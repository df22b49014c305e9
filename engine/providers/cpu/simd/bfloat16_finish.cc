#include "engine/providers/cpu/simd/bfloat16_finish.h"

#include <immintrin.h>

#include <algorithm>

#include "engine/graph/op_def.h"
#include "engine/providers/cpu/simd/bfloat16_tiles.h"

#define INFERD_BFLOAT16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

namespace inferd::cpu {
namespace {

// The forms of intrinsics without a mask make g++ 12 warn of what they leave undefined.
constexpr __mmask16 kAll = 0xffff;

__mmask16 MaskOf(int64_t count) {
  return static_cast<__mmask16>((1u << std::clamp<int64_t>(count, 0, kTileSide)) - 1);
}

template <typename T>
INFERD_BFLOAT16 inline __m512 Load(const T* from, __mmask16 mask) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return _mm512_maskz_loadu_ps(mask, from);
  } else {
    const __m512i wide = _mm512_maskz_cvtepu16_epi32(kAll, _mm256_maskz_loadu_epi16(mask, from));
    return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(kAll, wide, 16));
  }
}

template <typename T>
INFERD_BFLOAT16 inline void Store(T* to, __m512 left, __m512 right, __mmask16 left_mask,
                                  __mmask16 right_mask) {
  if constexpr (sizeof(T) == sizeof(float)) {
    _mm512_mask_storeu_ps(to, left_mask, left);
    _mm512_mask_storeu_ps(to + kTileSide, right_mask, right);
  } else {
    const __mmask32 mask = left_mask | static_cast<__mmask32>(right_mask) << kTileSide;
    _mm512_mask_storeu_epi16(to, mask, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(right, left)));
  }
}

// What is no number stays so.
INFERD_BFLOAT16 inline __m512 Bound(__m512 value, __m512 low, __m512 high) {
  return _mm512_maskz_min_ps(kAll, high, _mm512_maskz_max_ps(kAll, low, value));
}

using Kind = RoundedActivation::Kind;

template <Kind kKind>
INFERD_BFLOAT16 inline __m512 Activate(__m512 x, __m512 scale) {
  if constexpr (kKind == Kind::kHardSwish) {
    const __m512 gate = _mm512_fmadd_ps(x, _mm512_set1_ps(1.0f / 6), _mm512_set1_ps(0.5f));
    return _mm512_mul_ps(x, Bound(gate, _mm512_setzero_ps(), _mm512_set1_ps(1)));
  } else if constexpr (kKind == Kind::kSwish) {
    // 2^t in two factors, one by a polynomial whose error is 8e-5 at most, as the reciprocal's is.
    const __m512 t = Bound(_mm512_mul_ps(x, scale), _mm512_set1_ps(-126), _mm512_set1_ps(126));
    const __m512 whole = _mm512_maskz_roundscale_ps(kAll, t, 0);
    const __m512 part = _mm512_sub_ps(t, whole);
    __m512 power =
        _mm512_fmadd_ps(_mm512_set1_ps(0.0551716661f), part, _mm512_set1_ps(0.242611122f));
    power = _mm512_fmadd_ps(power, part, _mm512_set1_ps(0.693260986f));
    power = _mm512_fmadd_ps(power, part, _mm512_set1_ps(0.999928074f));
    power = _mm512_add_ps(_mm512_maskz_scalef_ps(kAll, power, whole), _mm512_set1_ps(1));
    return _mm512_mul_ps(x, _mm512_maskz_rcp14_ps(kAll, power));
  } else {
    return x;
  }
}

// What Activate() takes.
INFERD_BFLOAT16 inline __m512 ScaleOf(const RoundedActivation& activation) {
  constexpr float kLog2OfE = 1.44269504f;
  return _mm512_set1_ps(-activation.alpha * kLog2OfE);
}

template <Kind kKind>
INFERD_BFLOAT16 void ActivateAll(const RoundedActivation& activation, const float* x, int64_t count,
                                 Bfloat16* y) {
  const __m512 scale = ScaleOf(activation);
  for (int64_t i = 0; i < count; i += kTileStep) {
    const __mmask16 left = MaskOf(count - i);
    const __mmask16 right = MaskOf(count - i - kTileSide);
    const __m512 a = Activate<kKind>(Load(x + i, left), scale);
    const __m512 b = Activate<kKind>(Load(x + i + kTileSide, right), scale);
    Store(y + i, a, b, left, right);
  }
}

template <typename Add, typename Y, bool kAdds, Kind kKind>
INFERD_BFLOAT16 void Finish(const float* sums, int64_t rows, int64_t columns,
                            const FinishedRows& finished) {
  const __mmask16 left = MaskOf(columns);
  const __mmask16 right = MaskOf(columns - kTileSide);
  const __m512 low = _mm512_set1_ps(finished.low);
  const __m512 high = _mm512_set1_ps(finished.high);
  const __m512 scale = ScaleOf(finished.activation);
  __m512 bias[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  if (finished.bias != nullptr) {
    bias[0] = Load(finished.bias, left);
    bias[1] = Load(finished.bias + kTileSide, right);
  }
  const auto* add = static_cast<const Add*>(finished.add);
  auto* y = static_cast<Y*>(finished.y);
  const int64_t ahead = kTileProductRows * finished.row;
  for (int64_t i = 0; i < rows; ++i, sums += kTileStep, y += finished.row) {
    __m512 a = _mm512_add_ps(_mm512_loadu_ps(sums), bias[0]);
    __m512 b = _mm512_add_ps(_mm512_loadu_ps(sums + kTileSide), bias[1]);
    a = Activate<kKind>(a, scale);
    b = Activate<kKind>(b, scale);
    if constexpr (kAdds) {
      __builtin_prefetch(add + ahead, 0, 3);
      a = _mm512_add_ps(a, Load(add, left));
      b = _mm512_add_ps(b, Load(add + kTileSide, right));
      add += finished.row;
    }
    __builtin_prefetch(y + ahead, 1, 3);
    Store(y, Bound(a, low, high), Bound(b, low, high), left, right);
  }
}

template <typename Y, Kind kKind>
void FinishAs(const float* sums, int64_t rows, int64_t columns, const FinishedRows& finished) {
  if (finished.add == nullptr) {
    Finish<Y, Y, false, kKind>(sums, rows, columns, finished);
  } else if (finished.narrow_add) {
    Finish<Bfloat16, Y, true, kKind>(sums, rows, columns, finished);
  } else {
    Finish<float, Y, true, kKind>(sums, rows, columns, finished);
  }
}

}  // namespace

std::optional<RoundedActivation> RoundedActivation::Of(const EpilogueStep& step) {
  if (step.operand >= 0) return std::nullopt;
  if (step.op->name == "HardSwish") return RoundedActivation{Kind::kHardSwish};
  if (step.op->name != "Swish") return std::nullopt;
  return RoundedActivation{Kind::kSwish, step.attributes.Float("alpha", 1.0f)};
}

void FinishRows(const float* sums, int64_t rows, int64_t columns, const FinishedRows& finished) {
  if (!finished.narrow) return FinishAs<float, Kind::kNone>(sums, rows, columns, finished);
  switch (finished.activation.kind) {
    case Kind::kNone:
      return FinishAs<Bfloat16, Kind::kNone>(sums, rows, columns, finished);
    case Kind::kSwish:
      return FinishAs<Bfloat16, Kind::kSwish>(sums, rows, columns, finished);
    case Kind::kHardSwish:
      return FinishAs<Bfloat16, Kind::kHardSwish>(sums, rows, columns, finished);
  }
}

void ActivateToBfloat16(const RoundedActivation& activation, const float* x, int64_t count,
                        Bfloat16* y) {
  switch (activation.kind) {
    case Kind::kNone:
      return ActivateAll<Kind::kNone>(activation, x, count, y);
    case Kind::kSwish:
      return ActivateAll<Kind::kSwish>(activation, x, count, y);
    case Kind::kHardSwish:
      return ActivateAll<Kind::kHardSwish>(activation, x, count, y);
  }
}

void AddBias(const float* bias, int64_t rows, int64_t columns, float* sums) {
  for (int64_t i = 0; i < rows; ++i, sums += kTileStep) {
    for (int64_t c = 0; c < columns; ++c) sums[c] += bias[c];
  }
}

}  // namespace inferd::cpu
