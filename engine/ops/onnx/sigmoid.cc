#include <cmath>

#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapUnaryFloat(context, [](auto x) { return 1 / (1 + std::exp(-x)); });
}

}  // namespace

OpDef Sigmoid() { return UnaryElementwise("Sigmoid", 13, Compute); }

}  // namespace inferd::ops::onnx
