#include "engine/ops/map_float.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  const float alpha = context.attributes().Float("alpha", 0.01f);
  return MapFloat(context, [alpha](auto x) { return x < 0 ? alpha * x : x; });
}

}  // namespace

OpDef LeakyRelu() {
  return {.name = "LeakyRelu",
          .since = 16,
          .attributes = {{"alpha", AttributeKind::kFloat}},
          .op_class = OpClass::kElementwise,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
