#include <cmath>

#include "engine/ops/float_test.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  const bool negative = context.attributes().Int("detect_negative", 1) != 0;
  const bool positive = context.attributes().Int("detect_positive", 1) != 0;
  return TestFloats(context,
                    [=](double x) { return std::isinf(x) && (x > 0 ? positive : negative); });
}

}  // namespace

OpDef IsInf() {
  return {.name = "IsInf",
          .since = 20,
          .attributes = {{"detect_negative", AttributeKind::kInt},
                         {"detect_positive", AttributeKind::kInt}},
          .op_class = OpClass::kElementwise,
          .infer = InferBroadcastBool,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
