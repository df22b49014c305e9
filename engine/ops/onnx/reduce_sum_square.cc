#include "engine/ops/arithmetic.h"
#include "engine/ops/reduce.h"

namespace inferd::ops::onnx {
namespace {

template <typename T>
struct Accumulator {
  WideSum<T> total = 0;
  void Add(T x) {
    const auto wide = static_cast<WideSum<T>>(x);
    total = WrappingAdd(total, WrappingMultiply(wide, wide));
  }
  WideSum<T> Result(int64_t) const { return total; }
};

absl::Status Compute(KernelContext& context) {
  return ReduceNumeric(context,
                       [](auto tag) { return Accumulator<typename decltype(tag)::type>(); });
}

}  // namespace

OpDef ReduceSumSquare() { return ReduceDef("ReduceSumSquare", 18, Compute); }

}  // namespace inferd::ops::onnx
