#include "engine/ops/dequantized_op.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kX, kXScale, kXZero, kYScale, kYZero };

DequantizedOp Definition(const Attributes& attributes) {
  return {.op = "AveragePool",
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

OpDef QlinearAveragePool() {
  return {.domain = "com.microsoft",
          .name = "QLinearAveragePool",
          .min_inputs = 2,
          .max_inputs = 5,
          .attributes = {{"auto_pad", AttributeKind::kString},
                         {"ceil_mode", AttributeKind::kInt},
                         {"channels_last", AttributeKind::kInt},
                         {"count_include_pad", AttributeKind::kInt},
                         {"kernel_shape", AttributeKind::kInts, true},
                         {"pads", AttributeKind::kInts},
                         {"strides", AttributeKind::kInts}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
