#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return DispatchTypes<bool>(context.input(0).dtype(), [&](auto) {
    return MapUnary<bool>(context, [](bool x) { return !x; });
  });
}

}  // namespace

OpDef Not() { return UnaryElementwise("Not", 1, Compute); }

}  // namespace inferd::ops::onnx
