#include "engine/ops/gelu.h"

#include "engine/ops/map_float.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapFloat(context, [](auto x) { return inferd::Gelu(x); });
}

}  // namespace

OpDef Gelu() {
  return {.domain = "com.microsoft",
          .name = "Gelu",
          .since = 1,
          .op_class = OpClass::kElementwise,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
