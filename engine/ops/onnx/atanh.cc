#include <cmath>

#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapUnaryFloat(context, [](auto x) { return std::atanh(x); });
}

}  // namespace

OpDef Atanh() { return UnaryElementwise("Atanh", 22, Compute); }

}  // namespace inferd::ops::onnx
