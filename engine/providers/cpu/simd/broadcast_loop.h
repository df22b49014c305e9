#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "engine/core/tensor.h"

namespace inferd::cpu {

// Up to three operands that broadcast to an output, as few nested loops as their strides allow,
// outermost first in the order of the output's memory. Immutable once made.
class BroadcastLoop {
 public:
  static constexpr int kMaxOperands = 3;
  using Offsets = std::array<int64_t, kMaxOperands>;

  struct Operand {
    Shape shape;
    Layout layout = Layout::kRowMajor;
  };

  // A block of output elements that lie together in memory, `rows` times `cols`. Operand k's
  // element (i, j) is at offset[k] + i * row_stride[k] + j * col_stride[k].
  struct Block {
    int64_t rows;
    int64_t cols;
    int64_t output_offset;
    Offsets offset;
    Offsets row_stride;
    Offsets col_stride;
  };

  // Requires every operand to broadcast to `output` and at most kMaxOperands of them.
  BroadcastLoop(const Shape& output, Layout layout, absl::Span<const Operand> operands);

  int64_t count() const { return count_; }

  // Calls fn(const Block&) for blocks that cover the output elements [begin, end) in memory order.
  template <typename Fn>
  void ForRange(int64_t begin, int64_t end, const Fn& fn) const {
    for (int64_t at = begin; at < end;) {
      const Block block = BlockAt(at, end);
      fn(block);
      at += block.rows * block.cols;
    }
  }

 private:
  struct Dim {
    int64_t size;
    Offsets strides;
  };
  Block BlockAt(int64_t at, int64_t end) const;

  absl::InlinedVector<Dim, 6> dims_;  // at least two
  int64_t count_ = 0;
};

}  // namespace inferd::cpu
