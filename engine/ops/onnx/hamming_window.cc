#include "engine/ops/cosine_window.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return ComputeCosineWindow(context, {.a0 = 25.0 / 46, .a1 = 21.0 / 46, .a2 = 0});
}

}  // namespace

OpDef HammingWindow() { return CosineWindowOp("HammingWindow", Compute); }

}  // namespace inferd::ops::onnx
