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

}  // namespace

OpDef ReduceLogSum() { return ReduceDef("ReduceLogSum", 28, ReduceNumeric<Accumulator>); }

}  // namespace inferd::ops::onnx
