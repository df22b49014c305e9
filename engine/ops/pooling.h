#pragma once

#include <algorithm>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/accumulator.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"
#include "engine/ops/window_taps.h"

namespace inferd {

// What MaxPool, AveragePool and LpPool have in common: X [N,C,spatial...] -> Y [N,C,spatial...].

// The shape rule for output 0 (and an int64 output 1 of the same shape).
absl::Status InferPool(InferContext& context);
// The window over a concrete input; INVALID_ARGUMENT for an input without spatial dimensions.
absl::StatusOr<Window> ResolvePool(const Attributes& attributes, const Shape& x);
// [N,C] and the window's output sizes.
Shape PoolOutput(const Shape& x, const Window& window);

// The number of taps of each output position, row-major: those inside the input or, with
// `count_padding`, those inside the padded input.
std::vector<double> TapCounts(const Window& window, bool count_padding);

// The shape rule of pools over all spatial dimensions: [N,C,...] -> [N,C,1...].
absl::Status InferGlobalPool(InferContext& context);

// output[n,c] = fn(values of plane n,c as Acc*, count) for float types.
template <typename Fn>
absl::Status ComputeGlobalPool(KernelContext& context, Fn fn) {
  const Tensor& x = context.input(0);
  if (x.rank() < 2) return absl::InvalidArgumentError("X has no channels");
  Shape shape(x.shape().dims().subspan(0, 2));
  for (int i = 2; i < x.rank(); ++i) shape.push_back(1);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  const int64_t plane = x.shape().Product(2, x.rank());
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < y->num_elements(); ++i) {
      const Accumulators<AccumulatorOf<T>> values(x.data<T>() + i * plane, plane);
      y->mutable_data<T>()[i] = static_cast<T>(fn(values.data(), plane));
    }
    return absl::OkStatus();
  });
}

}  // namespace inferd
