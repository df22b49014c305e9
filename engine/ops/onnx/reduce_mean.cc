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

}  // namespace

OpDef ReduceMean() { return ReduceDef("ReduceMean", 18, ReduceNumeric<Accumulator>); }

}  // namespace inferd::ops::onnx
