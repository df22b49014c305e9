#include <cmath>

#include "engine/ops/map_float.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapFloat(context, [](auto x) {
    const auto softplus = (x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(x)));
    return x * std::tanh(softplus);
  });
}

}  // namespace

OpDef Mish() {
  return {.name = "Mish",
          .since = 22,
          .op_class = OpClass::kElementwise,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
