#pragma once

#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/accumulator.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// The shape rule of operators that work along attribute `axis` and keep the shape.
absl::Status InferAlongAxis(InferContext& context);

// Replaces every line of input 0 along attribute `axis` (default -1): fn(TypeTag<T>, Acc* values,
// count) edits a copy of the line, which becomes the line of output 0. For float types.
template <typename Fn>
absl::Status MapLines(KernelContext& context, Fn fn) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(context.attributes().Int("axis", -1), x.rank()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  if (x.num_elements() == 0) return absl::OkStatus();
  const int64_t outer = x.shape().Product(0, axis);
  const int64_t count = x.dim(axis);
  const int64_t inner = x.shape().Product(axis + 1, x.rank());
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Acc = AccumulatorOf<T>;
    std::vector<Acc> line(count);
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t i = 0; i < inner; ++i) {
        const T* from = x.data<T>() + o * count * inner + i;
        T* to = y->mutable_data<T>() + o * count * inner + i;
        for (int64_t j = 0; j < count; ++j) line[j] = static_cast<Acc>(from[j * inner]);
        fn(tag, line.data(), count);
        for (int64_t j = 0; j < count; ++j) to[j * inner] = static_cast<T>(line[j]);
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace inferd
