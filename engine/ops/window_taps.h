#pragma once

#include "engine/ops/window.h"

namespace inferd {

// One tap of a window and the box of output positions whose tap lies inside the input. Offsets are
// in elements of one row-major spatial plane. A value type.
struct Tap {
  int64_t index = 0;   // row-major position in the kernel
  Shape::Dims counts;  // size of the box, one entry a dimension
  int64_t input_offset = 0;
  int64_t output_offset = 0;
};

// Walks the taps of a resolved window that meet the input at all, in row-major order. Used by one
// thread at a time; `window` must outlive it.
class TapWalk {
 public:
  explicit TapWalk(const Window& window);
  // False after the last tap.
  bool Next(Tap* tap);

 private:
  bool SetDimension(int i);
  bool Advance();

  const Window& window_;
  Shape::Dims taps_;
  Shape::Dims begins_;
  Shape::Dims counts_;
  Shape::Dims input_strides_;
  Shape::Dims output_strides_;
  bool started_ = false;
};

// Calls row(input_offset, output_offset, count) for every innermost row of the tap's box: element j
// of the row is at input_offset + j * stride and output_offset + j, where stride is the window's
// innermost stride.
template <typename Fn>
void ForEachRow(const Window& window, const Tap& tap, Fn row) {
  const int last = window.rank() - 1;
  if (last < 0) return row(tap.input_offset, tap.output_offset, int64_t{1});
  Shape::Dims index(window.rank(), 0);
  Shape::Dims input_steps(window.rank(), 0);
  Shape::Dims output_steps(window.rank(), 0);
  int64_t input_stride = 1;
  int64_t output_stride = 1;
  for (int i = last; i >= 0; --i) {
    input_steps[i] = input_stride * window.strides[i];
    output_steps[i] = output_stride;
    input_stride *= window.input[i];
    output_stride *= window.output[i];
  }
  int64_t input = tap.input_offset;
  int64_t output = tap.output_offset;
  for (;;) {
    row(input, output, tap.counts[last]);
    int i = last - 1;
    for (; i >= 0; --i) {
      input += input_steps[i];
      output += output_steps[i];
      if (++index[i] < tap.counts[i]) break;
      input -= input_steps[i] * tap.counts[i];
      output -= output_steps[i] * tap.counts[i];
      index[i] = 0;
    }
    if (i < 0) return;
  }
}

}  // namespace inferd
