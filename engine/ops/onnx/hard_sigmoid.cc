#include "engine/ops/map_float.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  const float alpha = context.attributes().Float("alpha", 0.2f);
  const float beta = context.attributes().Float("beta", 0.5f);
  return MapFloat(context, [alpha, beta](auto x) {
    const auto y = alpha * x + beta;
    return y < 0 ? 0 : y > 1 ? 1 : y;
  });
}

}  // namespace

OpDef HardSigmoid() {
  return {.name = "HardSigmoid",
          .since = 22,
          .attributes = {{"alpha", AttributeKind::kFloat}, {"beta", AttributeKind::kFloat}},
          .op_class = OpClass::kElementwise,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
