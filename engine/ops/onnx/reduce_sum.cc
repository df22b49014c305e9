#include "engine/ops/arithmetic.h"
#include "engine/ops/reduce.h"

namespace inferd::ops::onnx {
namespace {

template <typename T>
struct Accumulator {
  WideSum<T> total = 0;
  void Add(T x) { total = WrappingAdd(total, static_cast<WideSum<T>>(x)); }
  WideSum<T> Result(int64_t) const { return total; }
};

absl::Status Compute(KernelContext& context) {
  return ReduceNumeric(context,
                       [](auto tag) { return Accumulator<typename decltype(tag)::type>(); });
}

}  // namespace

OpDef ReduceSum() { return ReduceDef("ReduceSum", 13, Compute); }

}  // namespace inferd::ops::onnx
