#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/join.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  std::vector<SymbolicShape> shapes;
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (!context.has_input(i)) return absl::InvalidArgumentError("an input is absent");
    RETURN_IF_ERROR(CheckSameTypes(context, {0, i}));
    shapes.push_back(context.shape(i));
  }
  ASSIGN_OR_RETURN(SymbolicShape shape, JoinedShape(shapes, context.attributes().Int("axis", 0)));
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  std::vector<const Tensor*> parts;
  for (int i = 0; i < context.num_inputs(); ++i) parts.push_back(&context.input(i));
  return JoinTensors(context, parts, context.attributes().Int("axis", 0));
}

}  // namespace

OpDef Concat() {
  return {.name = "Concat",
          .since = 13,
          .min_inputs = 1,
          .max_inputs = kVariadic,
          .attributes = {{"axis", AttributeKind::kInt, true}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
