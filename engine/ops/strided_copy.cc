#include "engine/ops/strided_copy.h"

#include "engine/ops/element_storage.h"
#include "engine/ops/view.h"

namespace inferd {
namespace {

struct CopyLoops {
  Shape::Dims dims;
  Shape::Dims source;
  Shape::Dims target;
};

// Drops dimensions of size 1 and joins neighbours that are one longer dimension on both sides.
CopyLoops Simplified(const Shape& shape, const StridedBlock& source, const StridedBlock& target) {
  CopyLoops loops;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == 1) continue;
    if (!loops.dims.empty() && loops.source.back() == source.strides[i] * shape[i] &&
        loops.target.back() == target.strides[i] * shape[i]) {
      loops.dims.back() *= shape[i];
      loops.source.back() = source.strides[i];
      loops.target.back() = target.strides[i];
      continue;
    }
    loops.dims.push_back(shape[i]);
    loops.source.push_back(source.strides[i]);
    loops.target.push_back(target.strides[i]);
  }
  return loops;
}

}  // namespace

StridedBlock WholeBlock(const Shape& shape) { return {0, shape.RowMajorStrides()}; }

void CopyStrided(const Shape& shape, const Tensor& from, const StridedBlock& source, Tensor* to,
                 const StridedBlock& target) {
  if (shape.num_elements() == 0) return;
  CopyLoops loops = Simplified(shape, source, target);
  if (loops.dims.empty()) {
    CopyElements(from, source.offset, to, target.offset, 1);
    return;
  }
  const int64_t run = loops.dims.back();
  const int64_t source_step = loops.source.back();
  const int64_t target_step = loops.target.back();
  loops.dims.pop_back();
  loops.source.pop_back();
  loops.target.pop_back();
  int64_t runs = 1;
  for (int64_t dim : loops.dims) runs *= dim;
  StridedWalk source_walk(loops.dims, loops.source);
  StridedWalk target_walk(loops.dims, loops.target);
  if (source_step == 1 && target_step == 1) {
    for (int64_t i = 0; i < runs; ++i, source_walk.Next(), target_walk.Next()) {
      CopyElements(from, source.offset + source_walk.offset(), to,
                   target.offset + target_walk.offset(), run);
    }
    return;
  }
  DispatchStorage(from.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < runs; ++i, source_walk.Next(), target_walk.Next()) {
      const T* in = from.data<T>() + source.offset + source_walk.offset();
      T* out = to->mutable_data<T>() + target.offset + target_walk.offset();
      for (int64_t j = 0; j < run; ++j) out[j * target_step] = in[j * source_step];
    }
  });
}

}  // namespace inferd
