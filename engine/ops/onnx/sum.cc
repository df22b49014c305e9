#include <functional>
#include <type_traits>

#include "engine/ops/elementwise_def.h"
#include "engine/ops/variadic.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return DispatchFloat(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
    return MapVariadic<T, Wide>(context, std::plus<Wide>(), [](Wide total, int) { return total; });
  });
}

}  // namespace

OpDef Sum() { return VariadicElementwise("Sum", 13, Compute); }

}  // namespace inferd::ops::onnx
