// Which keys the queries of an attention see, compiled once per Highway target.
#if defined(INFERD_CPU_SIMD_ATTENTION_MASK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INFERD_CPU_SIMD_ATTENTION_MASK_INL_H_
#undef INFERD_CPU_SIMD_ATTENTION_MASK_INL_H_
#else
#define INFERD_CPU_SIMD_ATTENTION_MASK_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "engine/providers/cpu/simd/attention_f32.h"
#include "engine/providers/cpu/simd/attention_tile.h"
#include "engine/providers/cpu/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

// Which keys of a row are seen, by the bias or by the mask (`mask_hides` as a byte in `hiding`).
struct RowMask {
  const float* bias = nullptr;
  const uint8_t* mask = nullptr;
  uint8_t hiding = 0;
  float hidden = kNothing;

  bool Sees(int64_t j) const {
    return (bias == nullptr || !(bias[j] <= kHiding)) &&
           (mask == nullptr || (mask[j] != 0) != (hiding != 0) || !(hidden <= kHiding));
  }
};

HWY_INLINE RowMask MaskOf(const StridedAttention& a, const AttentionOperands& operands, int64_t b,
                          int64_t h, int64_t i) {
  RowMask mask;
  if (operands.bias != nullptr) mask.bias = operands.bias + a.bias.At(b, h, i);
  if (operands.mask != nullptr) {
    mask.mask = reinterpret_cast<const uint8_t*>(operands.mask) + a.mask.At(b, h, i);
  }
  mask.hiding = a.mask_hides ? 1 : 0;
  mask.hidden = a.hidden;
  return mask;
}

// The last key in [from, to) that the row sees, plus one; `from` when it sees none of them.
HWY_INLINE int64_t EndOfSeen(const RowMask& row, int64_t from, int64_t to) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  if (row.mask == nullptr) {
    for (; to - lanes >= from; to -= lanes) {
      const V v = hn::LoadU(d, row.bias + to - lanes);
      if (!hn::AllTrue(d, hn::Le(v, Const(kHiding)))) break;
    }
  }
  while (to > from && !row.Sees(to - 1)) --to;
  return to;
}

// Narrows the tile to the keys that its rows see. A row that sees none at all gets what its scores
// and the bias give, so that nothing may be left out.
HWY_INLINE void FindSeenKeys(const StridedAttention& a, const AttentionOperands& operands,
                             AttentionTile* tile) {
  tile->first_key = 0;
  tile->end_key = a.keys;
  if (a.causal) {
    tile->end_key = std::min(a.keys, tile->row + tile->rows + a.first_position);
  }
  if (operands.bias == nullptr && operands.mask == nullptr) return;
  const bool rows_differ = (operands.bias != nullptr && a.bias.query != 0) ||
                           (operands.mask != nullptr && a.mask.query != 0) || a.causal;
  int64_t first = tile->end_key;
  int64_t end = 0;
  for (int64_t i = rows_differ ? tile->rows - 1 : 0; i >= 0; --i) {
    const RowMask row = MaskOf(a, operands, tile->b, tile->h, tile->row + i);
    const int64_t most =
        a.causal ? std::min(a.keys, tile->row + i + 1 + a.first_position) : tile->end_key;
    int64_t begin = 0;
    while (begin < most && !row.Sees(begin)) ++begin;
    if (begin == most) return;
    first = std::min(first, begin);
    end = std::max(end, EndOfSeen(row, std::max(end, begin), most));
  }
  tile->first_key = first / kPanelMost * kPanelMost;
  tile->end_key = end;
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif  // per-target include guard
