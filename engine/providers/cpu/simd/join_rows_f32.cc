#include "engine/providers/cpu/simd/join_rows_f32.h"

#include "engine/providers/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/providers/cpu/simd/join_rows_f32.cc"
// The loop over targets must come before what it compiles again.
// clang-format off
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "engine/providers/cpu/simd/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

HWY_INLINE void ScaleRow(const float* x, const float* scale, const float* shift, V low,
                         int64_t count, float* y) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const V v = hn::MulAdd(hn::LoadU(d, x + i), hn::LoadU(d, scale + i), hn::LoadU(d, shift + i));
    hn::StoreU(hn::Max(low, v), d, y + i);
  }
  if (i < count) {
    const size_t rest = static_cast<size_t>(count - i);
    const V v =
        hn::MulAdd(LoadPart(x + i, rest), LoadPart(scale + i, rest), LoadPart(shift + i, rest));
    StorePart(hn::Max(low, v), y + i, rest);
  }
}

void JoinRows(const JoinedPart* parts, size_t num_parts, const float* scale, const float* shift,
              float low, int64_t begin, int64_t end, float* y) {
  int64_t columns = 0;
  for (size_t part = 0; part < num_parts; ++part) columns += parts[part].columns;
  for (int64_t row = begin; row < end; ++row) {
    int64_t first = 0;
    for (size_t part = 0; part < num_parts; ++part) {
      const int64_t count = parts[part].columns;
      ScaleRow(parts[part].x + row * count, scale + first, shift + first, Const(low), count,
               y + row * columns + first);
      first += count;
    }
  }
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inferd::cpu {

HWY_EXPORT(JoinRows);

void JoinRowsF32(absl::Span<const JoinedPart> parts, const float* scale, const float* shift,
                 float low, int64_t begin, int64_t end, float* y) {
  HWY_DYNAMIC_DISPATCH(JoinRows)(parts.data(), parts.size(), scale, shift, low, begin, end, y);
}

}  // namespace inferd::cpu
#endif  // HWY_ONCE
