#include "engine/ops/arg_extreme.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return ComputeArgExtreme(context, /*greatest=*/true);
}

}  // namespace

OpDef ArgMax() { return ArgExtremeDef("ArgMax", Compute); }

}  // namespace inferd::ops::onnx
