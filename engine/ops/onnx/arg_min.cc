#include "engine/ops/arg_extreme.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return ComputeArgExtreme(context, /*greatest=*/false);
}

}  // namespace

OpDef ArgMin() { return ArgExtremeDef("ArgMin", Compute); }

}  // namespace inferd::ops::onnx
