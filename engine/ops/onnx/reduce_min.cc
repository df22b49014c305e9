#include <limits>

#include "engine/ops/arithmetic.h"
#include "engine/ops/reduce.h"

namespace inferd::ops::onnx {
namespace {

template <typename T>
T OfNothing() {
  if constexpr (std::is_integral_v<T>) return std::numeric_limits<T>::max();
  return T(std::numeric_limits<float>::infinity());
}

template <typename T>
struct Accumulator {
  T best = OfNothing<T>();
  void Add(T x) { best = Smaller(best, x); }
  T Result(int64_t) const { return best; }
};

absl::Status Compute(KernelContext& context) {
  if (context.input(0).dtype() == DType::kBool) return ReduceWith<bool, Accumulator<bool>>(context);
  return ReduceNumeric(context,
                       [](auto tag) { return Accumulator<typename decltype(tag)::type>(); });
}

}  // namespace

OpDef ReduceMin() { return ReduceDef("ReduceMin", 20, Compute); }

}  // namespace inferd::ops::onnx
