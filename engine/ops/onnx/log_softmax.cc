#include <algorithm>
#include <cmath>

#include "engine/ops/axis_lines.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return MapLines(context, [](auto, auto* values, int64_t count) {
    using Acc = std::remove_pointer_t<decltype(values)>;
    const Acc maximum = *std::max_element(values, values + count);
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += std::exp(values[i] - maximum);
    const Acc log_sum = static_cast<Acc>(std::log(sum));
    for (int64_t i = 0; i < count; ++i) values[i] = values[i] - maximum - log_sum;
  });
}

}  // namespace

OpDef LogSoftmax() {
  return {.name = "LogSoftmax",
          .since = 13,
          .attributes = {{"axis", AttributeKind::kInt}},
          .infer = InferAlongAxis,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
