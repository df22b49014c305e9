#pragma once

#include "engine/providers/cpu/simd/broadcast_loop.h"
#include "engine/providers/cpu/simd/elementwise_step.h"

namespace inferd::cpu {

// The loop over a bound request's first `num_operands` operands.
BroadcastLoop LoopOf(const StepRequest& request, int num_operands);

// Two operands of type In, output of type Out, any strides: for types without a vector kernel.
// Fn is an empty function object.
template <typename In, typename Out, typename Fn>
class ScalarBinaryStep : public ElementwiseStep {
 public:
  explicit ScalarBinaryStep(BroadcastLoop loop) : loop_(std::move(loop)) {}

  void Run(absl::Span<const void* const> operands, void* output, int64_t begin,
           int64_t end) const override {
    loop_.ForRange(begin, end, [&](const BroadcastLoop::Block& block) {
      const In* a = static_cast<const In*>(operands[0]) + block.offset[0];
      const In* b = static_cast<const In*>(operands[1]) + block.offset[1];
      Out* y = static_cast<Out*>(output) + block.output_offset;
      for (int64_t i = 0; i < block.rows; ++i) {
        RunRow(a + i * block.row_stride[0], block.col_stride[0], b + i * block.row_stride[1],
               block.col_stride[1], y + i * block.cols, block.cols);
      }
    });
  }

 private:
  static void RunRow(const In* a, int64_t a_step, const In* b, int64_t b_step, Out* y,
                     int64_t cols) {
    const Fn fn;
    if (a_step == 1 && b_step == 1) {
      for (int64_t j = 0; j < cols; ++j) y[j] = fn(a[j], b[j]);
    } else if (a_step == 1 && b_step == 0) {
      const In spread = *b;
      for (int64_t j = 0; j < cols; ++j) y[j] = fn(a[j], spread);
    } else {
      for (int64_t j = 0; j < cols; ++j) y[j] = fn(a[j * a_step], b[j * b_step]);
    }
  }

  BroadcastLoop loop_;
};

}  // namespace inferd::cpu
