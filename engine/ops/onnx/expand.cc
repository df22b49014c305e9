#include <algorithm>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/strided_copy.h"

namespace inferd::ops::onnx {
namespace {

absl::Status CheckTarget(const std::vector<int64_t>& target) {
  for (int64_t dim : target) {
    if (dim < 0) return absl::InvalidArgumentError(absl::StrCat("shape has dimension ", dim));
  }
  return absl::OkStatus();
}

absl::Status Infer(InferContext& context) {
  const SymbolicShape& input = context.shape(0);
  ASSIGN_OR_RETURN(const auto target, context.Int64s(1));
  SymbolicShape shape;
  if (target) {
    RETURN_IF_ERROR(CheckTarget(*target));
    ASSIGN_OR_RETURN(shape, BroadcastShapes(input, SymbolicShape(Shape(*target))));
  } else if (input.has_rank() && context.shape(1).rank() == 1 && context.shape(1)[0].known()) {
    const int64_t rank = context.shape(1)[0].value;
    shape = SymbolicShape::OfRank(static_cast<int>(std::max<int64_t>(rank, input.rank())));
  }
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const std::vector<int64_t> target, context.input(1).ToInt64s());
  RETURN_IF_ERROR(CheckTarget(target));
  ASSIGN_OR_RETURN(const Shape shape, BroadcastShapes(x.shape(), Shape(target)));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  StridedBlock source;
  source.strides.assign(shape.rank(), 0);
  const Shape::Dims strides = x.shape().RowMajorStrides();
  const int lead = shape.rank() - x.rank();
  for (int i = 0; i < x.rank(); ++i) {
    source.strides[lead + i] = x.dim(i) == 1 ? 0 : strides[i];
  }
  CopyStrided(shape, x, source, y, WholeBlock(shape));
  return absl::OkStatus();
}

}  // namespace

OpDef Expand() {
  return {.name = "Expand",
          .since = 13,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
