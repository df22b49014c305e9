#pragma once

#include <cstdint>

namespace inferd::cpu {

// Where the gates of a recurrent layer lie in a row: each gate takes whole vectors, all of them
// whole panels, which are what the product computes at a time. What is behind a gate's last column
// is zero. Depends on the instruction set in use. A value type.
struct GateLayout {
  GateLayout(int64_t gates, int64_t hidden);

  int64_t gates;
  int64_t hidden;  // columns of one gate
  int64_t stride;  // floats from one gate to the next, and of a state's row
  int64_t panel;
  int64_t width;  // floats of a row
};

// Packs [gates * hidden, depth], the order of W and R in ONNX, into width * depth floats, panel
// after panel. `packed` starts as zeros.
void PackGates(const GateLayout& layout, const float* weights, int64_t depth, float* packed);

// c = a b + row for a [rows, depth], whose rows are `a_row` floats apart, packed gates b, and c
// [rows, layout.width], for the columns [first, last) of whole panels. c must not overlap a.
void GateProduct(const GateLayout& layout, const float* a, int64_t a_row, int64_t rows,
                 int64_t depth, const float* b, const float* row, int64_t first, int64_t last,
                 float* c);

}  // namespace inferd::cpu
