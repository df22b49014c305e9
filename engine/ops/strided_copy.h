#pragma once

#include "engine/core/tensor.h"

namespace inferd {

// How a block of elements lies in a tensor's storage: the offset of its first element and, for each
// dimension, the distance of neighbours (0 repeats, negative goes backwards). A value type.
struct StridedBlock {
  int64_t offset = 0;
  Shape::Dims strides;
};

// The whole tensor of that shape, row by row.
StridedBlock WholeBlock(const Shape& shape);

// Walks a block of `dims` in row-major order; after the last element it is at the first again.
// Used by one thread at a time.
class StridedWalk {
 public:
  StridedWalk(absl::Span<const int64_t> dims, absl::Span<const int64_t> strides)
      : dims_(dims.begin(), dims.end()),
        strides_(strides.begin(), strides.end()),
        index_(dims.size(), 0) {}
  int64_t offset() const { return offset_; }
  const Shape::Dims& index() const { return index_; }
  void Next() {
    for (int i = static_cast<int>(dims_.size()) - 1; i >= 0; --i) {
      offset_ += strides_[i];
      if (++index_[i] < dims_[i]) return;
      offset_ -= strides_[i] * dims_[i];
      index_[i] = 0;
    }
  }

 private:
  Shape::Dims dims_;
  Shape::Dims strides_;
  Shape::Dims index_;
  int64_t offset_ = 0;
};

// Copies the elements of a block of shape `shape` between tensors of one dtype, strings included;
// runs that are contiguous on both sides are copied whole. Both blocks must lie in their tensors.
void CopyStrided(const Shape& shape, const Tensor& from, const StridedBlock& source, Tensor* to,
                 const StridedBlock& target);

}  // namespace inferd
