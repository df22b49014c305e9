#include <cmath>

#include "engine/ops/map_float.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapFloat(context, [](auto x) { return x / (1 + std::abs(x)); });
}

}  // namespace

OpDef Softsign() {
  return {.name = "Softsign",
          .since = 22,
          .op_class = OpClass::kElementwise,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
