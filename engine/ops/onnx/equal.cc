#include <string>

#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return DispatchTypes<float, double, Float16, Bfloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                       uint16_t, uint32_t, uint64_t, bool, std::string>(
      context.input(0).dtype(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        return MapBinary<T, bool>(context, [](const T& a, const T& b) { return a == b; });
      });
}

}  // namespace

OpDef Equal() { return Comparison("Equal", 19, Compute); }

}  // namespace inferd::ops::onnx
