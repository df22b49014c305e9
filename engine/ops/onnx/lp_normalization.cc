#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/ops/axis_lines.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  const int64_t p = context.attributes().Int("p", 2);
  if (p != 1 && p != 2) {
    return absl::InvalidArgumentError(absl::StrCat("attribute p is ", p, ", expected 1 or 2"));
  }
  return MapLines(context, [p](auto, auto* values, int64_t count) {
    using Acc = std::remove_pointer_t<decltype(values)>;
    double norm = 0;
    for (int64_t i = 0; i < count; ++i) {
      norm += p == 1 ? std::abs(double{values[i]}) : double{values[i]} * values[i];
    }
    if (p == 2) norm = std::sqrt(norm);
    // A line of zeros stays as it is.
    if (norm == 0) return;
    for (int64_t i = 0; i < count; ++i) values[i] = static_cast<Acc>(values[i] / norm);
  });
}

}  // namespace

OpDef LpNormalization() {
  return {.name = "LpNormalization",
          .since = 22,
          .attributes = {{"axis", AttributeKind::kInt}, {"p", AttributeKind::kInt}},
          .infer = InferAlongAxis,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
