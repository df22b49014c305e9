#include "engine/ops/elementwise.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::ml {
namespace {

absl::Status Compute(KernelContext& context) {
  const float threshold = context.attributes().Float("threshold", 0);
  return DispatchTypes<float, double, int32_t, int64_t>(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return MapUnary<T>(context, [threshold](T x) { return x > threshold ? T(1) : T(0); });
  });
}

}  // namespace

OpDef Binarizer() {
  return {.domain = "ai.onnx.ml",
          .name = "Binarizer",
          .since = 1,
          .attributes = {{"threshold", AttributeKind::kFloat}},
          .op_class = OpClass::kElementwise,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
