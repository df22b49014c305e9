#include "engine/ops/cast.h"

#include "engine/core/status_macros.h"
#include "engine/ops/dtype_attribute.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const DType to, ReadDType(context.attributes(), "to", DType::kInvalid));
  return InferCast(context, to);
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const DType to, ReadDType(context.attributes(), "to", DType::kInvalid));
  return CastFirstInput(context, to);
}

}  // namespace

OpDef Cast() {
  return {.name = "Cast",
          .since = 28,
          .attributes = {{"to", AttributeKind::kInt, true},
                         {"saturate", AttributeKind::kInt},
                         {"round_mode", AttributeKind::kString}},
          .op_class = OpClass::kElementwise,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
