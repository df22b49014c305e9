#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/view.h"

namespace inferd::ops::ml {
namespace {

absl::Status Infer(InferContext& context) {
  const SymbolicShape& x = context.shape(0);
  const SymbolicShape& indices = context.shape(1);
  if (!x.has_rank()) {
    context.SetOutput(0, context.dtype(0), SymbolicShape::UnknownRank());
    return absl::OkStatus();
  }
  if (x.rank() == 0) return absl::InvalidArgumentError("X is a scalar, expected features");
  SymbolicShape shape = x;
  if (x.rank() == 1) shape.mutable_dims().insert(shape.mutable_dims().begin(), Dim(1));
  shape[shape.rank() - 1] =
      indices.has_rank() ? indices.Product(0, indices.rank()) : Dim::Unknown();
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const Tensor& indices = context.input(1);
  if (x.rank() == 0) return absl::InvalidArgumentError("X is a scalar, expected features");
  const int64_t columns = x.dim(x.rank() - 1);
  const int64_t count = indices.num_elements();
  Shape shape = x.shape();
  if (shape.rank() == 1) shape.insert(0, 1);
  shape[shape.rank() - 1] = count;
  ASSIGN_OR_RETURN(const std::vector<int64_t> columns_taken, indices.ToInt64s());
  for (int64_t index : columns_taken) {
    if (index < 0 || index >= columns) {
      return absl::InvalidArgumentError(absl::StrCat("index ", index, " is outside the ", columns,
                                                     " columns of X ", x.shape().ToString()));
    }
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  for (int64_t i = 0; i < y->num_elements(); ++i) {
    CopyElements(x, i / count * columns + columns_taken[i % count], y, i, 1);
  }
  return absl::OkStatus();
}

}  // namespace

OpDef ArrayFeatureExtractor() {
  return {.domain = "ai.onnx.ml",
          .name = "ArrayFeatureExtractor",
          .since = 1,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
