#pragma once

#include <type_traits>

#include "engine/ops/index_check.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// Output 0 = along the axis in input 1 the running fn(so far, x), beginning with `start`; with the
// attributes `exclusive` (without the element itself) and `reverse` (from the end). fn is called
// with two integers of the tensor's type, or two floats or doubles.
template <typename Fn>
absl::Status Cumulate(KernelContext& context, int start, Fn fn) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const int64_t given_axis, OneInteger(context.input(1), "axis"));
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(given_axis, x.rank()));
  const bool exclusive = context.attributes().Int("exclusive", 0) != 0;
  const bool reverse = context.attributes().Int("reverse", 0) != 0;
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  if (x.num_elements() == 0) return absl::OkStatus();
  const int64_t size = x.dim(axis);
  const int64_t inner = x.shape().Product(axis + 1, x.rank());
  const int64_t lines = x.num_elements() / size;
  return DispatchNumeric(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Wide = std::conditional_t<std::is_class_v<T>, float, T>;
    for (int64_t i = 0; i < lines; ++i) {
      const int64_t line = i / inner * size * inner + i % inner;
      Wide total = static_cast<Wide>(start);
      for (int64_t j = 0; j < size; ++j) {
        const int64_t at = line + (reverse ? size - 1 - j : j) * inner;
        const Wide next = fn(total, static_cast<Wide>(x.data<T>()[at]));
        y->mutable_data<T>()[at] = T(exclusive ? total : next);
        total = next;
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace inferd
