#include "engine/ops/cosine_window.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return ComputeCosineWindow(context, {.a0 = 0.5, .a1 = 0.5, .a2 = 0});
}

}  // namespace

OpDef HannWindow() { return CosineWindowOp("HannWindow", Compute); }

}  // namespace inferd::ops::onnx
