#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  SymbolicShape shape({Dim()});
  if (context.attributes().Has("axis")) {
    shape = context.shape(0);
    if (shape.has_rank()) {
      ASSIGN_OR_RETURN(const int axis,
                       NormalizeAxis(context.attributes().Int("axis", 0), shape.rank()));
      shape[axis] = Dim();
    }
  }
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

// The positions of true; a condition may be shorter than the axis.
absl::StatusOr<std::vector<int64_t>> Chosen(const Tensor& condition, int64_t limit) {
  if (condition.dtype() != DType::kBool || condition.rank() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("condition is ", condition.TypeString(), ", expected bool of rank 1"));
  }
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < condition.num_elements(); ++i) {
    if (!condition.data<bool>()[i]) continue;
    if (i >= limit) {
      return absl::InvalidArgumentError(
          absl::StrCat("condition chooses index ", i, ", the axis has ", limit));
    }
    chosen.push_back(i);
  }
  return chosen;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  // Without an axis the input is one flat axis.
  Shape shape({x.num_elements()});
  int axis = 0;
  if (context.attributes().Has("axis")) {
    shape = x.shape();
    ASSIGN_OR_RETURN(axis, NormalizeAxis(context.attributes().Int("axis", 0), x.rank()));
  }
  const int64_t size = shape[axis];
  ASSIGN_OR_RETURN(const std::vector<int64_t> chosen, Chosen(context.input(1), size));
  shape[axis] = static_cast<int64_t>(chosen.size());
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  if (y->num_elements() == 0) return absl::OkStatus();
  const int64_t inner = shape.Product(axis + 1, shape.rank());
  int64_t target = 0;
  for (int64_t outer = 0; outer < shape.Product(0, axis); ++outer) {
    for (int64_t index : chosen) {
      CopyElements(x, (outer * size + index) * inner, y, target, inner);
      target += inner;
    }
  }
  return absl::OkStatus();
}

}  // namespace

OpDef Compress() {
  return {.name = "Compress",
          .since = 28,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"axis", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
