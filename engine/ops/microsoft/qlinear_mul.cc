#include "engine/ops/dequantized_op.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kA, kAScale, kAZero, kB, kBScale, kBZero, kCScale, kCZero };

DequantizedOp Definition() {
  return {.op = "Mul",
          .inputs = {{kA, kAScale, kAZero}, {kB, kBScale, kBZero}},
          .output_scale = kCScale,
          .output_zero_point = kCZero};
}

absl::Status Infer(InferContext& context) { return InferDequantized(context, Definition()); }

absl::Status Compute(KernelContext& context) { return ComputeDequantized(context, Definition()); }

}  // namespace

OpDef QlinearMul() {
  return {.domain = "com.microsoft",
          .name = "QLinearMul",
          .min_inputs = 2,
          .max_inputs = 8,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
