#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return DispatchTypes<bool>(context.input(0).dtype(), [&](auto) {
    return MapBinary<bool, bool>(context, [](bool a, bool b) { return a && b; });
  });
}

}  // namespace

OpDef And() { return Comparison("And", 7, Compute); }

}  // namespace inferd::ops::onnx
