#pragma once

#include <cstdint>
#include <vector>

#include "engine/ops/resample.h"

namespace inferd::cpu {

// Resampling of [outer, in_rows, in_cols, inner] to [outer, out_rows, out_cols, inner], two axes
// that lie side by side in memory. Built from the axes' tables; immutable.
class ResamplePlan {
 public:
  static constexpr int64_t kMaxTerms = 16;

  struct Sizes {
    int64_t outer = 1;
    int64_t in_rows = 1;
    int64_t in_cols = 1;
    int64_t out_rows = 1;
    int64_t out_cols = 1;
    int64_t inner = 1;
  };
  // Every output position must have between 1 and kMaxTerms positions in the tables.
  ResamplePlan(const Sizes& sizes, const ResampleTable& rows, const ResampleTable& cols);

  // Copies the one position of each output; elements of 1, 2, 4, 8 or 16 bytes.
  void RunNearest(const void* x, void* y, int64_t element_bytes, int threads) const;
  // Weighted sums of floats. `scratch` has scratch_bytes(threads).
  void RunWeighted(const float* x, float* y, void* scratch, int threads) const;
  int64_t scratch_bytes(int threads) const;

 private:
  struct Axis {
    std::vector<int64_t> begins;
    std::vector<int64_t> positions;
    std::vector<float> weights;
    bool identity = false;
    bool doubles = false;  // output j comes from j / 2
  };
  static Axis MakeAxis(const ResampleTable& table, int64_t inputs);
  void CopyRow(const char* from, char* to, int64_t element_bytes) const;
  void SumRow(const float* from, float* to) const;

  Sizes sizes_;
  Axis rows_;
  Axis cols_;
};

}  // namespace inferd::cpu
