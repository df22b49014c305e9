#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/element_storage.h"
#include "engine/ops/index_check.h"
#include "engine/ops/op_def.h"
#include "engine/ops/strided_copy.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  context.SetOutput(0, context.dtype(0), context.shape(1));
  return absl::OkStatus();
}

absl::Status CheckShapes(const Shape& data, const Shape& indices, int axis) {
  bool fits = data.rank() == indices.rank();
  for (int i = 0; fits && i < data.rank(); ++i) fits = i == axis || indices[i] <= data[i];
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("indices of shape ", indices.ToString(),
                                                 " do not fit data of shape ", data.ToString(),
                                                 " along axis ", axis));
}

absl::Status Compute(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Shape& shape = context.input(1).shape();
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(context.attributes().Int("axis", 0), data.rank()));
  RETURN_IF_ERROR(CheckShapes(data.shape(), shape, axis));
  ASSIGN_OR_RETURN(const std::vector<int64_t> indices,
                   CheckedIndices(context.input(1), data.dim(axis)));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, data.dtype(), shape));
  Shape::Dims strides = data.shape().RowMajorStrides();
  const int64_t axis_stride = strides[axis];
  strides[axis] = 0;
  StridedWalk walk(shape.dims(), strides);
  DispatchStorage(data.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < indices.size(); ++i, walk.Next()) {
      y->mutable_data<T>()[i] = data.data<T>()[walk.offset() + indices[i] * axis_stride];
    }
  });
  return absl::OkStatus();
}

}  // namespace

OpDef GatherElements() {
  return {.name = "GatherElements",
          .since = 13,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"axis", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
