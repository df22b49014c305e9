#include <cmath>

#include "engine/ops/op_def.h"
#include "engine/ops/pooling.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  const double p = static_cast<double>(context.attributes().Int("p", 2));
  if (p < 1) return absl::InvalidArgumentError("attribute p is below 1");
  return ComputeGlobalPool(context, [p](const auto* values, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += std::pow(std::abs(double{values[i]}), p);
    return std::pow(sum, 1 / p);
  });
}

}  // namespace

OpDef GlobalLpPool() {
  return {.name = "GlobalLpPool",
          .since = 22,
          .attributes = {{"p", AttributeKind::kInt}},
          .infer = InferGlobalPool,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
