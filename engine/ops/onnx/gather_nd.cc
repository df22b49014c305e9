#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/tuple_index.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  const SymbolicShape& data = context.shape(0);
  const SymbolicShape& indices = context.shape(1);
  const int64_t batch_dims = context.attributes().Int("batch_dims", 0);
  SymbolicShape output;
  if (data.has_rank() && indices.rank() > 0 && indices[indices.rank() - 1].known()) {
    const int64_t depth = indices[indices.rank() - 1].value;
    RETURN_IF_ERROR(CheckTuples(data.rank(), indices.rank(), depth, batch_dims));
    std::vector<Dim> dims(indices.dims().begin(), indices.dims().end() - 1);
    dims.insert(dims.end(), data.dims().begin() + batch_dims + depth, data.dims().end());
    output = SymbolicShape(std::move(dims));
  }
  context.SetOutput(0, context.dtype(0), std::move(output));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Tensor& indices = context.input(1);
  const int64_t batch_dims = context.attributes().Int("batch_dims", 0);
  ASSIGN_OR_RETURN(const TupleOffsets tuples, ReadTuples(indices, data.shape(), batch_dims));
  Shape shape(indices.shape().dims().subspan(0, indices.rank() - 1));
  for (int64_t dim : data.shape().dims().subspan(batch_dims + indices.dim(indices.rank() - 1))) {
    shape.push_back(dim);
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, data.dtype(), shape));
  if (shape.num_elements() == 0) return absl::OkStatus();
  int64_t target = 0;
  for (int64_t offset : tuples.offsets) {
    CopyElements(data, offset, y, target, tuples.block);
    target += tuples.block;
  }
  return absl::OkStatus();
}

}  // namespace

OpDef GatherNd() {
  return {.name = "GatherND",
          .since = 13,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"batch_dims", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
