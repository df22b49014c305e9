#include "engine/providers/cpu/simd/reduction.h"

#include <algorithm>

#include "engine/providers/cpu/simd/memory_order.h"
#include "engine/providers/cpu/simd/parallel.h"

namespace inferd::cpu {
namespace {

constexpr int64_t kMinPerThread = 65536;  // elements

}  // namespace

std::optional<Reduction> Reduction::Plan(const Shape& shape, Layout layout,
                                         const std::vector<int>& axes) {
  Reduction plan;
  enum { kBefore, kInside, kAfter } place = kBefore;
  for (const int axis : MemoryOrder(shape.rank(), layout)) {
    if (shape[axis] == 1) continue;
    const bool reduced = std::find(axes.begin(), axes.end(), axis) != axes.end();
    if (reduced && place == kAfter) return std::nullopt;
    if (reduced) {
      place = kInside;
      plan.size_ *= shape[axis];
    } else {
      if (place == kInside) place = kAfter;
      (place == kBefore ? plan.outer_ : plan.inner_) *= shape[axis];
    }
  }
  return plan;
}

int64_t Reduction::scratch_bytes() const {
  return inner_ == 1 ? 0 : outer_ * inner_ * static_cast<int64_t>(sizeof(float));
}

void Reduction::Run(ReduceF32 op, float factor, const float* x, float* y, void* scratch,
                    int threads) const {
  RunOver(op, factor, x, y, scratch, threads);
}

void Reduction::Run(ReduceF32 op, float factor, const Bfloat16* x, float* y, void* scratch,
                    int threads) const {
  RunOver(op, factor, x, y, scratch, threads);
}

template <typename T>
void Reduction::RunOver(ReduceF32 op, float factor, const T* x, float* y, void* scratch,
                        int threads) const {
  if (outer_ == 0 || inner_ == 0) return;
  if (size_ == 0) {
    std::fill_n(y, outer_ * inner_, 0.0f);
    return;
  }
  const int64_t block = size_ * inner_;
  ParallelRanges(threads, outer_, kMinPerThread / block + 1, 1, [&](int64_t begin, int64_t end) {
    if (inner_ == 1) {
      ReduceRowsF32(op, x + begin * block, y + begin, end - begin, size_, factor);
      return;
    }
    for (int64_t i = begin; i < end; ++i) {
      ReduceColumnsF32(op, x + i * block, y + i * inner_, size_, inner_, factor,
                       static_cast<float*>(scratch) + i * inner_);
    }
  });
}

}  // namespace inferd::cpu
