#include "engine/ops/arithmetic.h"
#include "engine/ops/elementwise_def.h"
#include "engine/ops/variadic.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return DispatchNumeric(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return MapVariadic<T, T>(context, Smaller<T>, [](T folded, int) { return folded; });
  });
}

}  // namespace

OpDef Min() { return VariadicElementwise("Min", 13, Compute); }

}  // namespace inferd::ops::onnx
