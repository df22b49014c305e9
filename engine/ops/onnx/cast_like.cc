#include "engine/ops/cast.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) { return InferCast(context, context.dtype(1)); }

absl::Status Compute(KernelContext& context) {
  return CastFirstInput(context, context.input(1).dtype());
}

}  // namespace

OpDef CastLike() {
  return {.name = "CastLike",
          .since = 25,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"saturate", AttributeKind::kInt}, {"round_mode", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
