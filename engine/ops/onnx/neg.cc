#include "engine/ops/arithmetic.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return DispatchNumeric(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return MapUnary<T>(context, [](T x) {
      if constexpr (std::is_integral_v<T>) {
        return WrappingSubtract<T>(0, x);
      } else {
        return T(-x);
      }
    });
  });
}

}  // namespace

OpDef Neg() { return UnaryElementwise("Neg", 13, Compute); }

}  // namespace inferd::ops::onnx
