#include "engine/providers/cpu/simd/bfloat16_rows.h"

#include <immintrin.h>

#include "engine/providers/cpu/cpu_features.h"
#include "engine/providers/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/providers/cpu/simd/bfloat16_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void Round(const float* x, Bfloat16* y, int64_t count) {
  const hn::ScalableTag<float> df;
  const hn::RebindToUnsigned<decltype(df)> du;
  const hn::RebindToSigned<decltype(df)> di;
  const hn::Rebind<uint16_t, decltype(df)> half;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(df));
  const auto low = hn::Set(du, 0x7fffu);
  const auto one = hn::Set(du, 1u);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto v = hn::LoadU(df, x + i);
    const auto u = hn::BitCast(du, v);
    const auto odd = hn::And(hn::ShiftRight<16>(u), one);
    const auto rounded = hn::ShiftRight<16>(hn::Add(hn::Add(u, low), odd));
    const auto quiet = hn::Or(hn::ShiftRight<16>(u), hn::Set(du, 0x40u));
    const auto nan = hn::RebindMask(du, hn::IsNaN(v));
    const auto bits = hn::IfThenElse(nan, quiet, rounded);
    hn::StoreU(hn::DemoteTo(half, hn::BitCast(di, bits)), half, &y[i].bits);
  }
  for (; i < count; ++i) y[i] = x[i];
}

void Widen(const Bfloat16* x, float* y, int64_t count) {
  const hn::ScalableTag<float> df;
  const hn::RebindToUnsigned<decltype(df)> du;
  const hn::Rebind<uint16_t, decltype(df)> half;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(df));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto u = hn::PromoteTo(du, hn::LoadU(half, &x[i].bits));
    hn::StoreU(hn::BitCast(df, hn::ShiftLeft<16>(u)), df, y + i);
  }
  for (; i < count; ++i) y[i] = x[i];
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inferd::cpu {

HWY_EXPORT(Round);
HWY_EXPORT(Widen);

namespace {

__attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16"))) void RoundNative(const float* x,
                                                                                 Bfloat16* y,
                                                                                 int64_t count) {
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m512bh v = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(x + i));
    _mm512_storeu_si512(y + i, reinterpret_cast<__m512i>(v));
  }
  for (; i < count; i += 16) {
    const __mmask16 mask =
        count - i >= 16 ? 0xffff : static_cast<__mmask16>((1u << (count - i)) - 1);
    const __m256bh v = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x + i));
    _mm256_mask_storeu_epi16(y + i, mask, reinterpret_cast<__m256i>(v));
  }
}

}  // namespace

void RoundToBfloat16(const float* x, Bfloat16* y, int64_t count) {
  if (ComputesBfloat16()) {
    RoundNative(x, y, count);
  } else {
    HWY_DYNAMIC_DISPATCH(Round)(x, y, count);
  }
}

void WidenBfloat16(const Bfloat16* x, float* y, int64_t count) {
  HWY_DYNAMIC_DISPATCH(Widen)(x, y, count);
}

}  // namespace inferd::cpu
#endif  // HWY_ONCE
