#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/core/tensor.h"
#include "engine/providers/cpu/simd/rows_f32.h"

namespace inferd::cpu {

// A reduction over axes that lie side by side in memory: [outer, size, inner] to [outer, inner].
// Immutable.
class Reduction {
 public:
  // nullopt when the reduced axes are not neighbours in the input's memory.
  static std::optional<Reduction> Plan(const Shape& shape, Layout layout,
                                       const std::vector<int>& axes);

  int64_t size() const { return size_; }
  int64_t scratch_bytes() const;
  // `factor` multiplies each result. `scratch` has scratch_bytes(). Without elements to reduce,
  // sums are 0; maxima and minima need size() > 0.
  void Run(ReduceF32 op, float factor, const float* x, float* y, void* scratch, int threads) const;
  void Run(ReduceF32 op, float factor, const Bfloat16* x, float* y, void* scratch,
           int threads) const;
  int64_t results() const { return outer_ * inner_; }

 private:
  template <typename T>
  void RunOver(ReduceF32 op, float factor, const T* x, float* y, void* scratch, int threads) const;

  int64_t outer_ = 1;
  int64_t size_ = 1;
  int64_t inner_ = 1;
};

}  // namespace inferd::cpu
