#pragma once

#include "engine/ops/accumulator.h"
#include "engine/ops/elementwise.h"

namespace inferd {

// output[i] = fn(input[i]) for the float types; fn computes in float or double.
template <typename Fn>
absl::Status MapFloat(KernelContext& context, Fn fn) {
  return DispatchFloat(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Acc = AccumulatorOf<T>;
    return MapUnary<T>(context, [fn](T x) { return static_cast<T>(fn(static_cast<Acc>(x))); });
  });
}

}  // namespace inferd
