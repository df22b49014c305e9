#include <cmath>

#include "engine/ops/map_float.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  const float alpha = context.attributes().Float("alpha", 1);
  return MapFloat(context, [alpha](auto x) { return x < 0 ? alpha * std::expm1(x) : x; });
}

}  // namespace

OpDef Elu() {
  return {.name = "Elu",
          .since = 22,
          .attributes = {{"alpha", AttributeKind::kFloat}},
          .op_class = OpClass::kElementwise,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
