#pragma once

#include <cstdint>

namespace inferd::cpu {

// How a constant float matrix [depth, columns] is packed for products with rows of floats, and
// those products. Columns are cut into panels of up to three vectors, whose sums stay in registers,
// and the depth into blocks, so that a panel of one block stays in a core's second cache while the
// next one is fetched into it: what a product of few rows waits for is the weights. A value type;
// the packed form depends on the processor.
struct PanelProduct {
  int64_t depth = 0;
  int64_t columns = 0;
  // Where rows are given by pointers, the depth is made of stretches of `unit`; else 1.
  int64_t unit = 1;

  int64_t packed_floats() const;
  // Weights are [depth, columns], or [columns, depth] when `transposed`; all of `packed` is
  // written.
  void Pack(const float* weights, bool transposed, float* packed) const;
  // The `depth` floats of a packed column.
  void Unpack(const float* packed, int64_t column, float* to) const;

  int64_t panels() const;
  // The first column of a panel; that of panels() is `columns`.
  int64_t FirstColumn(int64_t panel) const;
};

// What is multiplied.
struct PanelOperands {
  const float* x;  // [rows, depth]; null where blocks have pointers
  int64_t x_step;  // floats from a row to the next
  const float* packed;
  const float* bias;  // [columns] or null
  const float* add;   // [rows, columns] or null; no part of y
  float low;
  float high;
  float* y;        // [rows, columns]
  int64_t y_step;  // as x_step
};

// A part of the product.
struct PanelBlock {
  int64_t first_row;
  int64_t rows;
  int64_t first_panel;
  int64_t last_panel;
  int64_t next_panel;  // where the caller goes on: what is fetched ahead at the end
  // For each stretch of the depth where each row of the block has its `unit` floats, [depth / unit,
  // rows]: the pixels that a window of a convolution reads. Null: rows lie in x.
  const float* const* pointers = nullptr;
};

// y = min(max(x * weights + bias + add, low), high) for the rows and panels of `block`.
void MultiplyPanels(const PanelProduct& product, const PanelOperands& operands,
                    const PanelBlock& block);

// The key part that tells one processor's packed form from another's.
int64_t PanelLanes();

}  // namespace inferd::cpu
