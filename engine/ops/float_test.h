#pragma once

#include "engine/core/status_macros.h"
#include "engine/ops/float_format.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// Output 0 = test(x) as bool for every element of a floating-point input, float8 included.
template <typename Test>
absl::Status TestFloats(KernelContext& context, Test test) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kBool, x.shape()));
  bool* out = y->mutable_data<bool>();
  const int64_t count = x.num_elements();
  const FloatFormat* format = FindFloatFormat(x.dtype());
  if (format != nullptr && ElementBytes(x.dtype()) == 1) {
    for (int64_t i = 0; i < count; ++i) out[i] = test(DecodeFloat(x.data<uint8_t>()[i], *format));
    return absl::OkStatus();
  }
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < count; ++i) out[i] = test(static_cast<double>(x.data<T>()[i]));
    return absl::OkStatus();
  });
}

}  // namespace inferd
