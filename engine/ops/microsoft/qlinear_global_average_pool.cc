#include "engine/ops/dequantized_op.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kX, kXScale, kXZero, kYScale, kYZero };

DequantizedOp Definition(const Attributes& attributes) {
  return {.op = "GlobalAveragePool",
          .inputs = {{kX, kXScale, kXZero}},
          .output_scale = kYScale,
          .output_zero_point = kYZero,
          .channels_last = attributes.Int("channels_last", 0) != 0};
}

absl::Status Infer(InferContext& context) {
  return InferDequantized(context, Definition(context.attributes()));
}

absl::Status Compute(KernelContext& context) {
  return ComputeDequantized(context, Definition(context.attributes()));
}

}  // namespace

OpDef QlinearGlobalAveragePool() {
  return {.domain = "com.microsoft",
          .name = "QLinearGlobalAveragePool",
          .min_inputs = 5,
          .max_inputs = 5,
          .attributes = {{"channels_last", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
