#include <cmath>

#include "engine/ops/map_float.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapFloat(context, [](auto x) {
    // log(1 + exp(x)) without overflow.
    return (x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(x)));
  });
}

}  // namespace

OpDef Softplus() {
  return {.name = "Softplus",
          .since = 22,
          .op_class = OpClass::kElementwise,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
