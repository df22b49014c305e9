#include <cmath>

#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapUnaryFloat(context, [](auto x) { return std::sqrt(x); });
}

}  // namespace

OpDef Sqrt() { return UnaryElementwise("Sqrt", 13, Compute); }

}  // namespace inferd::ops::onnx
