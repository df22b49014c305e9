#include <limits>

#include "engine/ops/arithmetic.h"
#include "engine/ops/reduce.h"

namespace inferd::ops::onnx {
namespace {

template <typename T>
T OfNothing() {
  if constexpr (std::is_integral_v<T>) return std::numeric_limits<T>::lowest();
  return T(-std::numeric_limits<float>::infinity());
}

template <typename T>
struct Accumulator {
  T best = OfNothing<T>();
  void Add(T x) { best = Larger(best, x); }
  T Result(int64_t) const { return best; }
};

absl::Status Compute(KernelContext& context) {
  if (context.input(0).dtype() == DType::kBool) return ReduceWith<bool, Accumulator<bool>>(context);
  return ReduceNumeric(context,
                       [](auto tag) { return Accumulator<typename decltype(tag)::type>(); });
}

}  // namespace

OpDef ReduceMax() { return ReduceDef("ReduceMax", 20, Compute); }

}  // namespace inferd::ops::onnx
