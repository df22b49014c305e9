#pragma once

#include "absl/status/statusor.h"
#include "engine/core/dtype.h"
#include "engine/graph/attributes.h"
#include "engine/ops/arithmetic.h"

namespace inferd {

// How ScatterND and ScatterElements combine an update with what is there.
enum class ScatterReduction : uint8_t { kNone, kAdd, kMultiply, kMax, kMin };

// From the attribute "reduction".
inline absl::StatusOr<ScatterReduction> ParseScatterReduction(const Attributes& attributes) {
  const std::string name = attributes.String("reduction", "none");
  if (name == "none") return ScatterReduction::kNone;
  if (name == "add") return ScatterReduction::kAdd;
  if (name == "mul") return ScatterReduction::kMultiply;
  if (name == "max") return ScatterReduction::kMax;
  if (name == "min") return ScatterReduction::kMin;
  return absl::InvalidArgumentError("reduction is \"" + name +
                                    "\", expected none, add, mul, max or min");
}

// Calls body(TypeTag<T>, T fn(T, T)) for a numeric dtype and a reduction other than kNone.
template <typename Body>
absl::Status WithScatterFunction(DType dtype, ScatterReduction reduction, Body body) {
  return DispatchNumeric(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T (*fn)(T, T) = WrappingAdd<T>;
    if (reduction == ScatterReduction::kMultiply) fn = WrappingMultiply<T>;
    if (reduction == ScatterReduction::kMax) fn = Larger<T>;
    if (reduction == ScatterReduction::kMin) fn = Smaller<T>;
    body(tag, fn);
    return absl::OkStatus();
  });
}

}  // namespace inferd
