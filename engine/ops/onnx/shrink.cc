#include "engine/ops/arithmetic.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  const double bias = context.attributes().Float("bias", 0);
  const double lambda = context.attributes().Float("lambd", 0.5f);
  return DispatchNumeric(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return MapUnary<T>(context, [bias, lambda](T value) {
      const double x = static_cast<double>(value);
      const double y = x < -lambda ? x + bias : x > lambda ? x - bias : x != x ? x : 0;
      // Unsigned types wrap as integers do.
      if constexpr (std::is_integral_v<T>) return static_cast<T>(SaturateToInteger<int64_t>(y));
      return static_cast<T>(y);
    });
  });
}

}  // namespace

OpDef Shrink() {
  return {.name = "Shrink",
          .since = 9,
          .attributes = {{"bias", AttributeKind::kFloat}, {"lambd", AttributeKind::kFloat}},
          .op_class = OpClass::kElementwise,
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
