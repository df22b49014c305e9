#include <algorithm>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<SymbolicShape> Unsqueezed(const SymbolicShape& input,
                                         const std::vector<int64_t>& axes) {
  if (!input.has_rank()) return SymbolicShape::UnknownRank();
  const int rank = input.rank() + static_cast<int>(axes.size());
  ASSIGN_OR_RETURN(const std::vector<int> normalized, NormalizeAxes(axes, rank));
  SymbolicShape output = SymbolicShape::OfRank(rank);
  for (int axis : normalized) output[axis] = 1;
  int next = 0;
  for (int i = 0; i < rank; ++i) {
    const bool added = std::find(normalized.begin(), normalized.end(), i) != normalized.end();
    if (!added) output[i] = input[next++];
  }
  return output;
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const auto axes, context.Int64s(1));
  SymbolicShape shape;
  if (axes) {
    ASSIGN_OR_RETURN(shape, Unsqueezed(context.shape(0), *axes));
  }
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes, context.input(1).ToInt64s());
  ASSIGN_OR_RETURN(const SymbolicShape shape, Unsqueezed(context.input(0).shape(), axes));
  return CopyAs(context, shape.ToShape());
}

}  // namespace

OpDef Unsqueeze() {
  return {.name = "Unsqueeze",
          .since = 25,
          .min_inputs = 2,
          .max_inputs = 2,
          .op_class = OpClass::kView,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
