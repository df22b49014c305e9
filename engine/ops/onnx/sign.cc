#include "engine/ops/arithmetic.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return DispatchNumeric(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return MapUnary<T>(context, [](T x) {
      if (IsNanValue(x)) return x;
      return x > T(0) ? T(1) : x < T(0) ? WrappingSubtract(T(0), T(1)) : T(0);
    });
  });
}

}  // namespace

OpDef Sign() { return UnaryElementwise("Sign", 13, Compute); }

}  // namespace inferd::ops::onnx
