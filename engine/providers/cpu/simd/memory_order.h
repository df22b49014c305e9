#pragma once

#include "absl/container/inlined_vector.h"
#include "engine/core/tensor.h"

namespace inferd::cpu {

// The axes of a tensor from the outermost to the innermost in memory: 0, 1, 2... or, for
// channels-last, 0, 2, ..., 1.
inline absl::InlinedVector<int, 6> MemoryOrder(int rank, Layout layout) {
  absl::InlinedVector<int, 6> order;
  const bool channels_last = layout == Layout::kChannelsLast && rank >= 3;
  for (int i = 0; i < rank; ++i) {
    if (!(channels_last && i == 1)) order.push_back(i);
  }
  if (channels_last) order.push_back(1);
  return order;
}

// How many axes lie outside `axis` in memory, as the number of elements they span together, and
// how many elements one step along `axis` skips.
struct AxisSplit {
  int64_t outer = 1;
  int64_t size = 1;
  int64_t inner = 1;
};

inline AxisSplit SplitAtAxis(const Shape& shape, Layout layout, int axis) {
  AxisSplit split;
  split.size = shape[axis];
  bool inside = false;
  for (const int i : MemoryOrder(shape.rank(), layout)) {
    if (i == axis) {
      inside = true;
    } else {
      (inside ? split.inner : split.outer) *= shape[i];
    }
  }
  return split;
}

}  // namespace inferd::cpu
