#include <cmath>

#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapUnaryFloat(context, [](auto x) { return std::log(x); });
}

}  // namespace

OpDef Log() { return UnaryElementwise("Log", 13, Compute); }

}  // namespace inferd::ops::onnx
