#include "engine/ops/arithmetic.h"
#include "engine/ops/cumulate.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return Cumulate(context, 1, [](auto a, auto b) { return WrappingMultiply(a, b); });
}

}  // namespace

OpDef CumProd() {
  return {.name = "CumProd",
          .since = 26,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"exclusive", AttributeKind::kInt}, {"reverse", AttributeKind::kInt}},
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
