#include <cmath>

#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  // The default rounding mode: halves go to the even neighbour.
  return MapUnaryFloat(context, [](auto x) { return std::nearbyint(x); });
}

}  // namespace

OpDef Round() { return UnaryElementwise("Round", 22, Compute); }

}  // namespace inferd::ops::onnx
