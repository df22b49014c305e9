#include <algorithm>

#include "engine/ops/axis_lines.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapLines(context, [](auto, auto* values, int64_t count) {
    const int64_t first = std::max_element(values, values + count) - values;
    std::fill_n(values, count, 0);
    values[first] = 1;
  });
}

}  // namespace

OpDef Hardmax() {
  return {.name = "Hardmax",
          .since = 13,
          .attributes = {{"axis", AttributeKind::kInt}},
          .infer = InferAlongAxis,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
