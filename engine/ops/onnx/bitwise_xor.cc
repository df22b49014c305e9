#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return DispatchInteger(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return MapBinary<T, T>(context, [](T a, T b) { return static_cast<T>(a ^ b); });
  });
}

}  // namespace

OpDef BitwiseXor() { return BinaryElementwise("BitwiseXor", 18, Compute); }

}  // namespace inferd::ops::onnx
