#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return DispatchInteger(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return MapUnary<T>(context, [](T x) { return static_cast<T>(~x); });
  });
}

}  // namespace

OpDef BitwiseNot() { return UnaryElementwise("BitwiseNot", 18, Compute); }

}  // namespace inferd::ops::onnx
