#include "engine/ops/arithmetic.h"
#include "engine/ops/reduce.h"

namespace inferd::ops::onnx {
namespace {

template <typename T>
struct Accumulator {
  WideSum<T> product = 1;
  void Add(T x) { product = WrappingMultiply(product, static_cast<WideSum<T>>(x)); }
  WideSum<T> Result(int64_t) const { return product; }
};

absl::Status Compute(KernelContext& context) {
  return ReduceNumeric(context,
                       [](auto tag) { return Accumulator<typename decltype(tag)::type>(); });
}

}  // namespace

OpDef ReduceProd() { return ReduceDef("ReduceProd", 18, Compute); }

}  // namespace inferd::ops::onnx
