#include "engine/ops/dequantized_op.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kX, kXScale, kXZero, kYScale, kYZero };

DequantizedOp Definition() {
  return {.op = "LeakyRelu",
          .inputs = {{kX, kXScale, kXZero}},
          .output_scale = kYScale,
          .output_zero_point = kYZero};
}

absl::Status Infer(InferContext& context) { return InferDequantized(context, Definition()); }

absl::Status Compute(KernelContext& context) { return ComputeDequantized(context, Definition()); }

}  // namespace

OpDef QlinearLeakyRelu() {
  return {.domain = "com.microsoft",
          .name = "QLinearLeakyRelu",
          .min_inputs = 2,
          .max_inputs = 5,
          .attributes = {{"alpha", AttributeKind::kFloat}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
