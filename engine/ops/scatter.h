#pragma once

#include <complex>
#include <string>
#include <type_traits>

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

// Calls body(TypeTag<T>, T fn(T, T)) for a dtype and a reduction other than kNone: all of them for
// numbers, sums and products for complex ones. Of bools a sum or maximum is "or", a product or
// minimum "and". INVALID_ARGUMENT where a reduction means nothing.
template <typename Body>
absl::Status WithScatterFunction(DType dtype, ScatterReduction reduction, Body body) {
  return DispatchTypes<float, double, Float16, Bfloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                       uint16_t, uint32_t, uint64_t, bool, std::complex<float>,
                       std::complex<double>>(dtype, [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    T (*fn)(T, T) = reduction == ScatterReduction::kAdd ? WrappingAdd<T> : WrappingMultiply<T>;
    if constexpr (std::is_same_v<T, bool>) {
      const bool either =
          reduction == ScatterReduction::kAdd || reduction == ScatterReduction::kMax;
      fn = either ? [](bool a, bool b) { return a || b; } : [](bool a, bool b) { return a && b; };
    } else if (reduction == ScatterReduction::kMax || reduction == ScatterReduction::kMin) {
      if constexpr (std::is_same_v<T, std::complex<float>> ||
                    std::is_same_v<T, std::complex<double>>) {
        return absl::InvalidArgumentError("complex numbers have no largest or smallest");
      } else {
        fn = reduction == ScatterReduction::kMax ? Larger<T> : Smaller<T>;
      }
    }
    body(tag, fn);
    return absl::OkStatus();
  });
}

}  // namespace inferd
