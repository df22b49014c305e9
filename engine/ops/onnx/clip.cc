#include <limits>

#include "engine/ops/elementwise.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

// The bound at input `i`, or `missing` where it is absent.
template <typename T>
absl::StatusOr<T> Bound(const KernelContext& context, int i, T missing) {
  if (!context.has_input(i)) return missing;
  const Tensor& bound = context.input(i);
  if (bound.dtype() != context.input(0).dtype() || bound.num_elements() != 1) {
    return absl::InvalidArgumentError(absl::StrCat("bound ", i == 1 ? "min" : "max", " is ",
                                                   bound.TypeString(), ", expected one ",
                                                   DTypeName(context.input(0).dtype())));
  }
  return *bound.data<T>();
}

// The type's least and greatest values; float16 and bfloat16 have no numeric_limits.
template <typename T>
T LeastValue() {
  if constexpr (std::is_integral_v<T>) return std::numeric_limits<T>::lowest();
  return T(-std::numeric_limits<float>::infinity());
}
template <typename T>
T GreatestValue() {
  if constexpr (std::is_integral_v<T>) return std::numeric_limits<T>::max();
  return T(std::numeric_limits<float>::infinity());
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {0, 1, 2}));
  for (int i = 1; i <= 2; ++i) {
    if (!context.has_input(i)) continue;
    const SymbolicShape& bound = context.shape(i);
    const Dim elements = bound.has_rank() ? bound.Product(0, bound.rank()) : Dim::Unknown();
    if (elements.known() && !elements.Is(1)) {
      return absl::InvalidArgumentError(absl::StrCat("bound ", i == 1 ? "min" : "max",
                                                     " has shape ", bound.ToString(),
                                                     ", expected one element"));
    }
  }
  return InferSameAsFirst(context);
}

absl::Status Compute(KernelContext& context) {
  return DispatchNumeric(context.input(0).dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    ASSIGN_OR_RETURN(const T low, Bound<T>(context, 1, LeastValue<T>()));
    ASSIGN_OR_RETURN(const T high, Bound<T>(context, 2, GreatestValue<T>()));
    // Written as Min(high, Max(x, low)): high wins when the bounds cross, NaN stays.
    return MapUnary<T>(context, [low, high](T x) {
      const T raised = x < low ? low : x;
      return raised > high ? high : raised;
    });
  });
}

}  // namespace

OpDef Clip() {
  return {.name = "Clip",
          .since = 13,
          .min_inputs = 1,
          .max_inputs = 3,
          .op_class = OpClass::kElementwise,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
