#include "engine/ops/arithmetic.h"
#include "engine/ops/reduce.h"

namespace inferd::ops::onnx {
namespace {

// The mean of no values is NaN, or 0 for integers.
template <typename T>
struct Accumulator {
  WideSum<T> total = 0;
  void Add(T x) { total = WrappingAdd(total, static_cast<WideSum<T>>(x)); }
  WideSum<T> Result(int64_t count) const {
    if (std::is_integral_v<T> && count == 0) return 0;
    return total / static_cast<WideSum<T>>(count);
  }
};

absl::Status Compute(KernelContext& context) {
  return ReduceNumeric(context,
                       [](auto tag) { return Accumulator<typename decltype(tag)::type>(); });
}

}  // namespace

OpDef ReduceMean() { return ReduceDef("ReduceMean", 18, Compute); }

}  // namespace inferd::ops::onnx
