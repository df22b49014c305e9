#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

absl::Status CheckResult(const std::string& x, const std::string& slope,
                         const std::string& result) {
  if (result == x) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("slope has shape ", slope, ", which does not broadcast to ", x));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {0, 1}));
  const SymbolicShape& x = context.shape(0);
  const SymbolicShape& slope = context.shape(1);
  ASSIGN_OR_RETURN(const SymbolicShape result, BroadcastShapes(x, slope));
  if (x.IsConcrete() && slope.IsConcrete()) {
    RETURN_IF_ERROR(CheckResult(x.ToString(), slope.ToString(), result.ToString()));
  }
  context.SetOutput(0, context.input_type(0));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Shape& x = context.input(0).shape();
  const Shape& slope = context.input(1).shape();
  ASSIGN_OR_RETURN(const Shape result, BroadcastShapes(x, slope));
  RETURN_IF_ERROR(CheckResult(x.ToString(), slope.ToString(), result.ToString()));
  return DispatchNumeric(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return MapBinary<T, T>(context, [](T x, T slope) {
      if constexpr (std::is_integral_v<T>) {
        // Products wrap; 64 unsigned bits avoid undefined overflow.
        return x < 0 ? static_cast<T>(static_cast<uint64_t>(x) * static_cast<uint64_t>(slope)) : x;
      } else {
        return x < T(0) ? static_cast<T>(x * slope) : x;
      }
    });
  });
}

}  // namespace

OpDef Prelu() {
  return {.name = "PRelu",
          .since = 16,
          .min_inputs = 2,
          .max_inputs = 2,
          .op_class = OpClass::kElementwise,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
