#pragma once

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/accumulator.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// The shape rule of X [...,C] with an optional bias [C]: Y is like X.
absl::Status InferBiasActivation(InferContext& context);

// y = fn(x + bias), where bias [C] (input 1, optional) is added along the last dimension. For float
// types; fn computes in float or double.
template <typename Fn>
absl::Status ComputeBiasActivation(KernelContext& context, Fn fn) {
  const Tensor& x = context.input(0);
  const Tensor* bias = context.has_input(1) ? &context.input(1) : nullptr;
  const int64_t columns = x.rank() == 0 ? 1 : x.dim(x.rank() - 1);
  if (bias != nullptr && bias->num_elements() != columns) {
    return absl::InvalidArgumentError(
        absl::StrCat("bias has shape ", bias->shape().ToString(), ", expected [", columns, "]"));
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Acc = AccumulatorOf<T>;
    for (int64_t i = 0; i < x.num_elements(); ++i) {
      Acc value = static_cast<Acc>(x.data<T>()[i]);
      if (bias != nullptr) value += static_cast<Acc>(bias->data<T>()[i % columns]);
      y->mutable_data<T>()[i] = static_cast<T>(fn(value));
    }
    return absl::OkStatus();
  });
}

}  // namespace inferd
