#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapUnaryFloat(context, [](auto x) { return 1 / x; });
}

}  // namespace

OpDef Reciprocal() { return UnaryElementwise("Reciprocal", 13, Compute); }

}  // namespace inferd::ops::onnx
