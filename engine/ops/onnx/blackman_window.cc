#include "engine/ops/cosine_window.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return ComputeCosineWindow(context, {.a0 = 0.42, .a1 = 0.5, .a2 = 0.08});
}

}  // namespace

OpDef BlackmanWindow() { return CosineWindowOp("BlackmanWindow", Compute); }

}  // namespace inferd::ops::onnx
