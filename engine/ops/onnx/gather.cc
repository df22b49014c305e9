#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/index_check.h"
#include "engine/ops/op_def.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  const SymbolicShape& data = context.shape(0);
  const SymbolicShape& indices = context.shape(1);
  SymbolicShape output;
  if (data.has_rank()) {
    ASSIGN_OR_RETURN(const int axis,
                     NormalizeAxis(context.attributes().Int("axis", 0), data.rank()));
    if (indices.has_rank()) {
      std::vector<Dim> dims(data.dims().begin(), data.dims().begin() + axis);
      dims.insert(dims.end(), indices.dims().begin(), indices.dims().end());
      dims.insert(dims.end(), data.dims().begin() + axis + 1, data.dims().end());
      output = SymbolicShape(std::move(dims));
    }
  }
  context.SetOutput(0, context.dtype(0), std::move(output));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Tensor& indices = context.input(1);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(context.attributes().Int("axis", 0), data.rank()));
  ASSIGN_OR_RETURN(const std::vector<int64_t> rows, CheckedIndices(indices, data.dim(axis)));
  Shape shape(data.shape().dims().subspan(0, axis));
  for (int64_t dim : indices.shape().dims()) shape.push_back(dim);
  for (int64_t dim : data.shape().dims().subspan(axis + 1)) shape.push_back(dim);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, data.dtype(), shape));
  if (shape.num_elements() == 0) return absl::OkStatus();
  const int64_t outer = data.shape().Product(0, axis);
  const int64_t inner = data.shape().Product(axis + 1, data.rank());
  int64_t target = 0;
  for (int64_t i = 0; i < outer; ++i) {
    for (int64_t row : rows) {
      CopyElements(data, (i * data.dim(axis) + row) * inner, y, target, inner);
      target += inner;
    }
  }
  return absl::OkStatus();
}

}  // namespace

OpDef Gather() {
  return {.name = "Gather",
          .since = 13,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"axis", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
