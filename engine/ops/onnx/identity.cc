#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  if (x.kind() != ValueKind::kTensor) return context.SetOutput(0, x);
  return CopyAs(context, x.shape());
}

}  // namespace

OpDef Identity() {
  return {.name = "Identity",
          .since = 25,
          .op_class = OpClass::kView,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
