#include <numeric>

#include "engine/ops/op_def.h"
#include "engine/ops/pooling.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return ComputeGlobalPool(context, [](const auto* values, int64_t count) {
    return std::accumulate(values, values + count, 0.0) / static_cast<double>(count);
  });
}

}  // namespace

OpDef GlobalAveragePool() {
  return {.name = "GlobalAveragePool", .since = 22, .infer = InferGlobalPool, .compute = Compute};
}

}  // namespace inferd::ops::onnx
