#include <cmath>
#include <limits>

#include "engine/ops/reduce.h"

namespace inferd::ops::onnx {
namespace {

// Keeps exp(x - greatest) summed, so that large values do not overflow.
template <typename T>
struct Accumulator {
  double greatest = -std::numeric_limits<double>::infinity();
  double total = 0;
  void Add(T value) {
    const double x = static_cast<double>(value);
    if (x == -std::numeric_limits<double>::infinity()) return;
    if (x > greatest) {
      total = total * std::exp(greatest - x) + 1;
      greatest = x;
    } else {
      total += x == greatest ? 1 : std::exp(x - greatest);
    }
  }
  double Result(int64_t) const { return greatest + std::log(total); }
};

absl::Status Compute(KernelContext& context) {
  return ReduceNumeric(context,
                       [](auto tag) { return Accumulator<typename decltype(tag)::type>(); });
}

}  // namespace

OpDef ReduceLogSumExp() { return ReduceDef("ReduceLogSumExp", 28, Compute); }

}  // namespace inferd::ops::onnx
