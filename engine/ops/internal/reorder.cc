#include <cstring>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::internal {
namespace {

// Copies element by element: the logical index walks in row-major order on both sides.
absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  const Shape& shape = x.shape();
  const Shape::Dims from = DenseStrides(shape, x.layout());
  const Shape::Dims to = DenseStrides(shape, y->layout());
  const int64_t bytes = ElementBytes(x.dtype());
  Shape::Dims index(shape.rank(), 0);
  for (int64_t i = 0, count = shape.num_elements(); i < count; ++i) {
    int64_t source = 0;
    int64_t target = 0;
    for (int d = 0; d < shape.rank(); ++d) {
      source += index[d] * from[d];
      target += index[d] * to[d];
    }
    std::memcpy(static_cast<char*>(y->mutable_raw()) + target * bytes,
                static_cast<const char*>(x.raw()) + source * bytes, bytes);
    for (int d = shape.rank() - 1; d >= 0 && ++index[d] == shape[d]; --d) index[d] = 0;
  }
  return absl::OkStatus();
}

}  // namespace

// Changes the memory order of a value between row-major and channels-last; the logical tensor stays
// the same. Made by the layout pass only; the orders are those of the graph's values.
OpDef Reorder() {
  return {.domain = "inferd", .name = "Reorder", .infer = InferSameAsFirst, .compute = Compute};
}

}  // namespace inferd::ops::internal
