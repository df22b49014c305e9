#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<SymbolicShape> Flattened(const Attributes& attributes, const SymbolicShape& input) {
  if (!input.has_rank()) return SymbolicShape::OfRank(2);
  ASSIGN_OR_RETURN(const int axis, NormalizeSplitAxis(attributes.Int("axis", 1), input.rank()));
  return SymbolicShape({input.Product(0, axis), input.Product(axis, input.rank())});
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(SymbolicShape shape, Flattened(context.attributes(), context.shape(0)));
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const SymbolicShape shape,
                   Flattened(context.attributes(), context.input(0).shape()));
  return CopyAs(context, shape.ToShape());
}

}  // namespace

OpDef Flatten() {
  return {.name = "Flatten",
          .since = 25,
          .attributes = {{"axis", AttributeKind::kInt}},
          .op_class = OpClass::kView,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
