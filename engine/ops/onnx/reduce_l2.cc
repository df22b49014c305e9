#include <cmath>

#include "engine/ops/reduce.h"

namespace inferd::ops::onnx {
namespace {

template <typename T>
struct Accumulator {
  double total = 0;
  void Add(T x) { total += static_cast<double>(x) * static_cast<double>(x); }
  double Result(int64_t) const { return std::sqrt(total); }
};

absl::Status Compute(KernelContext& context) {
  return ReduceNumeric(context,
                       [](auto tag) { return Accumulator<typename decltype(tag)::type>(); });
}

}  // namespace

OpDef ReduceL2() { return ReduceDef("ReduceL2", 18, Compute); }

}  // namespace inferd::ops::onnx
