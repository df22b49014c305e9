#include <cmath>
#include <type_traits>

#include "engine/core/status_macros.h"
#include "engine/ops/arithmetic.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

constexpr int64_t kMostElements = int64_t{1} << 40;

absl::Status TooMany() { return absl::InvalidArgumentError("the range has too many elements"); }

// max(ceil((limit - start) / delta), 0)
template <typename T>
absl::StatusOr<int64_t> CountOf(T start, T limit, T delta) {
  if (delta == T(0)) return absl::InvalidArgumentError("delta is 0");
  if constexpr (std::is_integral_v<T>) {
    const bool up = delta > 0;
    if (up ? limit <= start : limit >= start) return 0;
    // As unsigned: differences of 64-bit integers may not fit an int64.
    const uint64_t from = static_cast<uint64_t>(static_cast<int64_t>(up ? start : limit));
    const uint64_t to = static_cast<uint64_t>(static_cast<int64_t>(up ? limit : start));
    const uint64_t raw_step = static_cast<uint64_t>(static_cast<int64_t>(delta));
    const uint64_t count = (to - from - 1) / (up ? raw_step : uint64_t{0} - raw_step) + 1;
    if (count > static_cast<uint64_t>(kMostElements)) return TooMany();
    return static_cast<int64_t>(count);
  } else {
    const double count = std::ceil((static_cast<double>(limit) - static_cast<double>(start)) /
                                   static_cast<double>(delta));
    if (!(count <= static_cast<double>(kMostElements))) return TooMany();
    return count > 0 ? static_cast<int64_t>(count) : 0;
  }
}

template <typename T>
T ElementAt(T start, T delta, int64_t i) {
  if constexpr (std::is_integral_v<T>) {
    return WrappingAdd<T>(start, WrappingMultiply<T>(static_cast<T>(i), delta));
  } else if constexpr (std::is_same_v<T, double>) {
    return start + static_cast<double>(i) * delta;
  } else {
    return T(static_cast<float>(start) + static_cast<float>(i) * static_cast<float>(delta));
  }
}

// Calls fn(start, limit, delta) with the three scalars in their type.
template <typename Fn>
absl::Status WithBounds(const Tensor& start, const Tensor& limit, const Tensor& delta, Fn fn) {
  for (const Tensor* bound : {&start, &limit, &delta}) {
    if (bound->dtype() != start.dtype() || bound->num_elements() != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("start, limit and delta are ", start.TypeString(), ", ", limit.TypeString(),
                       " and ", delta.TypeString(), ", expected scalars of one type"));
    }
  }
  return DispatchNumeric(start.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return fn(*start.data<T>(), *limit.data<T>(), *delta.data<T>());
  });
}

absl::Status Infer(InferContext& context) {
  Dim length;
  if (context.constant(0) != nullptr && context.constant(1) != nullptr &&
      context.constant(2) != nullptr) {
    RETURN_IF_ERROR(WithBounds(*context.constant(0), *context.constant(1), *context.constant(2),
                               [&](auto start, auto limit, auto delta) -> absl::Status {
                                 ASSIGN_OR_RETURN(length, CountOf(start, limit, delta));
                                 return absl::OkStatus();
                               }));
  }
  context.SetOutput(0, context.dtype(0), SymbolicShape({length}));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  return WithBounds(context.input(0), context.input(1), context.input(2),
                    [&](auto start, auto limit, auto delta) -> absl::Status {
                      using T = decltype(start);
                      ASSIGN_OR_RETURN(const int64_t count, CountOf(start, limit, delta));
                      ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DTypeOf<T>(), {count}));
                      T* out = y->mutable_data<T>();
                      for (int64_t i = 0; i < count; ++i) out[i] = ElementAt(start, delta, i);
                      return absl::OkStatus();
                    });
}

}  // namespace

OpDef Range() {
  return {.name = "Range",
          .since = 27,
          .min_inputs = 3,
          .max_inputs = 3,
          .attributes = {{"stash_type", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
