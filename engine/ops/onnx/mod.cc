#include "engine/ops/arithmetic.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  const bool truncated = context.attributes().Int("fmod", 0) != 0;
  return DispatchNumeric(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return truncated ? MapBinary<T, T>(context, TruncatedRemainder<T>)
                     : MapBinary<T, T>(context, FlooredRemainder<T>);
  });
}

}  // namespace

OpDef Mod() {
  OpDef def = BinaryElementwise("Mod", 28, Compute);
  def.attributes = {{"fmod", AttributeKind::kInt}};
  return def;
}

}  // namespace inferd::ops::onnx
