#include <cmath>

#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapUnaryFloat(context, [](auto x) { return std::acos(x); });
}

}  // namespace

OpDef Acos() { return UnaryElementwise("Acos", 22, Compute); }

}  // namespace inferd::ops::onnx
