#include "engine/ops/map_float.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapFloat(context, [](auto x) {
    using T = decltype(x);
    const T gate = x / 6 + T(0.5);
    return x * (gate < 0 ? 0 : gate > 1 ? 1 : gate);
  });
}

}  // namespace

OpDef HardSwish() {
  return {.name = "HardSwish",
          .since = 22,
          .op_class = OpClass::kElementwise,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
