#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return DispatchNumeric(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return MapBinary<T, bool>(context, [](T a, T b) { return a > b; });
  });
}

}  // namespace

OpDef Greater() { return Comparison("Greater", 13, Compute); }

}  // namespace inferd::ops::onnx
