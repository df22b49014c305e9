#include <cmath>

#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapUnaryFloat(context, [](auto x) { return std::atan(x); });
}

}  // namespace

OpDef Atan() { return UnaryElementwise("Atan", 22, Compute); }

}  // namespace inferd::ops::onnx
