#include "engine/ops/cast.h"

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<DType> Target(const Attributes& attributes) {
  const int64_t to = attributes.Int("to", 0);
  if (to <= 0 || to > INT8_MAX || !IsKnownDType(static_cast<int>(to))) {
    return absl::InvalidArgumentError(absl::StrCat("to is ", to, ", which is no element type"));
  }
  return static_cast<DType>(to);
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const DType to, Target(context.attributes()));
  return InferCast(context, to);
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const DType to, Target(context.attributes()));
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
