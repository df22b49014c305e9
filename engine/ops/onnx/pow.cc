#include <cmath>
#include <vector>

#include "engine/ops/arithmetic.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(SymbolicShape shape, BroadcastShapes(context.shape(0), context.shape(1)));
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

template <typename T>
T Power(T base, int64_t exponent) {
  if constexpr (std::is_integral_v<T>) {
    return IntegerPower(base, exponent);
  } else {
    return T(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
}

template <typename T>
T Power(T base, double exponent) {
  if constexpr (std::is_integral_v<T>) {
    return SaturateToInteger<T>(std::pow(static_cast<double>(base), exponent));
  } else if constexpr (std::is_same_v<T, double>) {
    return std::pow(base, exponent);
  } else {
    return T(static_cast<float>(std::pow(static_cast<double>(base), exponent)));
  }
}

// The exponents as one wide type, so that every pair of types needs no code of its own.
template <typename Wide>
std::vector<Wide> Widened(const Tensor& exponents) {
  std::vector<Wide> wide(exponents.num_elements());
  (void)DispatchNumeric(exponents.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < wide.size(); ++i) wide[i] = static_cast<Wide>(exponents.data<T>()[i]);
    return absl::OkStatus();
  });
  return wide;
}

template <typename T, typename Wide>
absl::Status Raise(KernelContext& context) {
  const Tensor& base = context.input(0);
  const Tensor& exponent = context.input(1);
  const std::vector<Wide> exponents = Widened<Wide>(exponent);
  ASSIGN_OR_RETURN(const Shape shape, BroadcastShapes(base.shape(), exponent.shape()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, base.dtype(), shape));
  BroadcastWalk<2> walk(shape, {&base.shape(), &exponent.shape()});
  const int64_t count = shape.num_elements();
  for (int64_t i = 0; i < count; ++i, walk.Next()) {
    y->mutable_data<T>()[i] = Power(base.data<T>()[walk.offset(0)], exponents[walk.offset(1)]);
  }
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const DType exponent = context.input(1).dtype();
  if (!IsInteger(exponent) && !IsFloatingPoint(exponent)) {
    return absl::InvalidArgumentError(
        absl::StrCat("exponent has element type ", DTypeName(exponent)));
  }
  return DispatchNumeric(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return IsInteger(exponent) ? Raise<T, int64_t>(context) : Raise<T, double>(context);
  });
}

}  // namespace

OpDef Pow() {
  return {.name = "Pow",
          .since = 15,
          .min_inputs = 2,
          .max_inputs = 2,
          .op_class = OpClass::kElementwise,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
