#include <cmath>

#include "engine/ops/map_float.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {
namespace {

absl::Status Compute(KernelContext& context) {
  const float alpha = context.attributes().Float("alpha", 1.702f);
  return MapFloat(context, [alpha](auto x) { return x / (1 + std::exp(-alpha * x)); });
}

}  // namespace

OpDef QuickGelu() {
  return {.domain = "com.microsoft",
          .name = "QuickGelu",
          .since = 1,
          .attributes = {{"alpha", AttributeKind::kFloat}},
          .op_class = OpClass::kElementwise,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
