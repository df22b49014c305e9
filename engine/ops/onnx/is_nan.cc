#include "engine/ops/float_test.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return TestFloats(context, [](double x) { return std::isnan(x); });
}

}  // namespace

OpDef IsNan() {
  return {.name = "IsNaN",
          .since = 20,
          .op_class = OpClass::kElementwise,
          .infer = InferBroadcastBool,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
