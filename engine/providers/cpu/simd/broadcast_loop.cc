#include "engine/providers/cpu/simd/broadcast_loop.h"

#include "engine/providers/cpu/simd/memory_order.h"

namespace inferd::cpu {

BroadcastLoop::BroadcastLoop(const Shape& output, Layout layout, absl::Span<const Operand> operands)
    : count_(output.num_elements()) {
  const int num_operands = static_cast<int>(operands.size());
  std::array<Shape::Dims, kMaxOperands> strides;
  for (int k = 0; k < num_operands; ++k) {
    strides[k] = DenseStrides(operands[k].shape, operands[k].layout);
  }
  for (const int axis : MemoryOrder(output.rank(), layout)) {
    if (output[axis] == 1) continue;
    Dim dim{output[axis], {}};
    for (int k = 0; k < num_operands; ++k) {
      const int from = axis - (output.rank() - operands[k].shape.rank());
      const bool varies = from >= 0 && operands[k].shape[from] != 1;
      dim.strides[k] = varies ? strides[k][from] : 0;
    }
    bool joins = !dims_.empty();
    for (int k = 0; k < num_operands && joins; ++k) {
      joins = dims_.back().strides[k] == dim.strides[k] * dim.size;
    }
    if (joins) {
      dims_.back().size *= dim.size;
      dims_.back().strides = dim.strides;
    } else {
      dims_.push_back(dim);
    }
  }
  while (dims_.size() < 2) dims_.insert(dims_.begin(), Dim{1, {}});
  // A single element: any inner stride will do, and 1 is the fastest.
  if (dims_.back().size == 1) dims_.back().strides.fill(1);
}

BroadcastLoop::Block BroadcastLoop::BlockAt(int64_t at, int64_t end) const {
  const size_t last = dims_.size() - 1;
  const Dim& row = dims_[last - 1];
  const Dim& col = dims_[last];
  Block block{1, 0, at, {}, row.strides, col.strides};
  const int64_t j = at % col.size;
  int64_t rest = at / col.size;
  const int64_t i = rest % row.size;
  rest /= row.size;
  for (int k = 0; k < kMaxOperands; ++k) {
    block.offset[k] = i * row.strides[k] + j * col.strides[k];
  }
  for (size_t d = last - 1; d-- > 0 && rest > 0;) {
    const int64_t index = rest % dims_[d].size;
    rest /= dims_[d].size;
    for (int k = 0; k < kMaxOperands; ++k) block.offset[k] += index * dims_[d].strides[k];
  }
  const int64_t remaining = end - at;
  if (j != 0 || remaining < col.size) {
    block.cols = std::min(col.size - j, remaining);
  } else {
    block.cols = col.size;
    block.rows = std::min(row.size - i, remaining / col.size);
  }
  return block;
}

}  // namespace inferd::cpu
