#include "engine/ops/elementwise.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return DispatchNumeric(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    // NaN stays NaN: the comparison is false for it.
    return MapUnary<T>(context, [](T x) { return x < T(0) ? T(0) : x; });
  });
}

}  // namespace

OpDef Relu() {
  return {.name = "Relu",
          .since = 14,
          .op_class = OpClass::kElementwise,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
