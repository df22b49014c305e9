#include "engine/ops/axis_lines.h"
#include "engine/ops/op_def.h"
#include "engine/ops/softmax_row.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapLines(context, [](auto tag, auto* values, int64_t count) {
    SoftmaxRow<typename decltype(tag)::type>(values, count);
  });
}

}  // namespace

OpDef Softmax() {
  return {.name = "Softmax",
          .since = 13,
          .attributes = {{"axis", AttributeKind::kInt}},
          .infer = InferAlongAxis,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
