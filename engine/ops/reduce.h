#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/arithmetic.h"
#include "engine/ops/op_def.h"
#include "engine/ops/strided_copy.h"

namespace inferd {

// What a Reduce* node computes over concrete shapes: which elements meet in one output.
struct Reduction {
  Shape output;           // with the attribute keepdims applied
  Shape::Dims kept_dims;  // with strides in the input: one output element each
  Shape::Dims kept_strides;
  Shape::Dims reduced_dims;  // the elements of one output
  Shape::Dims reduced_strides;
  int64_t count = 1;  // elements per output
};

// From input 0, the axes in input 1 and the attributes keepdims and noop_with_empty_axes.
absl::StatusOr<Reduction> MakeReduction(const KernelContext& context);

// The Reduce* operators: "axes" as optional input 1.
absl::Status InferReduce(InferContext& context);
OpDef ReduceDef(absl::string_view name, int since, absl::Status (*compute)(KernelContext&));

// The shape of `input` without the axes marked in `reduced`, or with 1 there when `keep_dims`.
SymbolicShape ReducedShape(const SymbolicShape& input, const std::vector<bool>& reduced,
                           bool keep_dims);

// Output 0 = per output element an Accumulator, made by default, given every value by Add(T) in
// order and asked for Result(count of values); a floating result is held within an integer T.
template <typename T, typename Accumulator>
absl::Status ReduceWith(KernelContext& context) {
  ASSIGN_OR_RETURN(const Reduction reduction, MakeReduction(context));
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), reduction.output));
  StridedWalk kept(reduction.kept_dims, reduction.kept_strides);
  StridedWalk reduced(reduction.reduced_dims, reduction.reduced_strides);
  const int64_t outputs = y->num_elements();
  for (int64_t i = 0; i < outputs; ++i, kept.Next()) {
    Accumulator accumulator;
    const T* values = x.data<T>() + kept.offset();
    for (int64_t j = 0; j < reduction.count; ++j, reduced.Next()) {
      accumulator.Add(values[reduced.offset()]);
    }
    const auto result = accumulator.Result(reduction.count);
    if constexpr (std::is_integral_v<T> && std::is_floating_point_v<decltype(result)>) {
      y->mutable_data<T>()[i] = SaturateToInteger<T>(result);
    } else {
      y->mutable_data<T>()[i] = static_cast<T>(result);
    }
  }
  return absl::OkStatus();
}

// The type sums are kept in: double for floats; 64 bits, wrapping around, for integers.
template <typename T>
using WideSum = std::conditional_t<!std::is_integral_v<T>, double,
                                   std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>;

// ReduceWith for every numeric type T, with the accumulator that make(TypeTag<T>()) returns.
template <typename Make>
absl::Status ReduceNumeric(KernelContext& context, Make make) {
  return DispatchNumeric(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return ReduceWith<T, decltype(make(tag))>(context);
  });
}

}  // namespace inferd
