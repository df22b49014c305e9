#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/providers/cpu/simd/bfloat16_rows.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cpu {

// Rows of a kernel from input 0 to output 0 that works on floats, where either may be bfloat16 in
// memory: what is goes through scratch, a few rows at a time. Immutable.
class WidenedRows {
 public:
  WidenedRows(int64_t cols, DType input, DType output)
      : cols_(cols),
        narrow_input_(input == DType::kBfloat16),
        narrow_output_(output == DType::kBfloat16) {}

  int64_t scratch_bytes(int threads) const {
    return Passes() ? 0 : 2 * part_floats() * std::max(1, threads) * int64_t{sizeof(float)};
  }

  // Calls fn(x, y, rows) for the rows [begin, end). `part` is the number of the thread.
  template <typename Fn>
  void Run(const StepContext& context, int part, int64_t begin, int64_t end, const Fn& fn) const {
    const void* x = context.inputs[0]->raw();
    void* y = context.outputs[0]->mutable_raw();
    if (Passes()) {
      fn(static_cast<const float*>(x) + begin * cols_, static_cast<float*>(y) + begin * cols_,
         end - begin);
      return;
    }
    float* from = static_cast<float*>(context.scratch) + 2 * part * part_floats();
    float* to = from + part_floats();
    const int64_t step = rows_at_once();
    for (int64_t row = begin; row < end; row += step) {
      const int64_t rows = std::min(step, end - row);
      const int64_t at = row * cols_;
      const float* source = static_cast<const float*>(x) + at;
      if (narrow_input_) {
        WidenBfloat16(static_cast<const Bfloat16*>(x) + at, from, rows * cols_);
        source = from;
      }
      fn(source, narrow_output_ ? to : static_cast<float*>(y) + at, rows);
      if (narrow_output_) RoundToBfloat16(to, static_cast<Bfloat16*>(y) + at, rows * cols_);
    }
  }

 private:
  static constexpr int64_t kAtOnce = 2048;  // floats that stay in the first cache

  bool Passes() const { return !narrow_input_ && !narrow_output_; }
  int64_t rows_at_once() const {
    return std::max<int64_t>(1, kAtOnce / std::max<int64_t>(1, cols_));
  }
  int64_t part_floats() const { return (rows_at_once() * cols_ + 15) / 16 * 16; }

  int64_t cols_;
  bool narrow_input_;
  bool narrow_output_;
};

}  // namespace inferd::cpu
