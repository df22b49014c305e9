#include <cmath>

#include "engine/ops/reduce.h"

namespace inferd::ops::onnx {
namespace {

template <typename T>
struct Accumulator {
  double total = 0;
  void Add(T x) { total += static_cast<double>(x); }
  double Result(int64_t) const { return std::log(total); }
};

absl::Status Compute(KernelContext& context) {
  return ReduceNumeric(context,
                       [](auto tag) { return Accumulator<typename decltype(tag)::type>(); });
}

}  // namespace

OpDef ReduceLogSum() { return ReduceDef("ReduceLogSum", 28, Compute); }

}  // namespace inferd::ops::onnx
