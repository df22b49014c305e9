#include <cmath>

#include "engine/ops/map_float.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  const float alpha = context.attributes().Float("alpha", 1.67326319217681884765625f);
  const float gamma = context.attributes().Float("gamma", 1.05070102214813232421875f);
  return MapFloat(context, [alpha, gamma](auto x) {
    return x > 0 ? gamma * x : gamma * (alpha * std::expm1(x));
  });
}

}  // namespace

OpDef Selu() {
  return {.name = "Selu",
          .since = 22,
          .attributes = {{"alpha", AttributeKind::kFloat}, {"gamma", AttributeKind::kFloat}},
          .op_class = OpClass::kElementwise,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
