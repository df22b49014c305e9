#include <limits>

#include "engine/ops/op_def.h"
#include "engine/ops/pooling.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return ComputeGlobalPool(context, [](const auto* values, int64_t count) {
    double maximum = -std::numeric_limits<double>::infinity();
    for (int64_t i = 0; i < count; ++i) {
      // The second comparison keeps NaN.
      if (values[i] > maximum || values[i] != values[i]) maximum = values[i];
    }
    return maximum;
  });
}

}  // namespace

OpDef GlobalMaxPool() {
  return {.name = "GlobalMaxPool", .since = 22, .infer = InferGlobalPool, .compute = Compute};
}

}  // namespace inferd::ops::onnx
