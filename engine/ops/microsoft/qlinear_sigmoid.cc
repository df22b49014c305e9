#include "engine/ops/dequantized_op.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kX, kXScale, kXZero, kYScale, kYZero };

DequantizedOp Definition() {
  return {.op = "Sigmoid",
          .inputs = {{kX, kXScale, kXZero}},
          .output_scale = kYScale,
          .output_zero_point = kYZero};
}

absl::Status Infer(InferContext& context) { return InferDequantized(context, Definition()); }

absl::Status Compute(KernelContext& context) { return ComputeDequantized(context, Definition()); }

}  // namespace

OpDef QlinearSigmoid() {
  return {.domain = "com.microsoft",
          .name = "QLinearSigmoid",
          .min_inputs = 2,
          .max_inputs = 5,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
