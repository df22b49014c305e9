#pragma once

#include "absl/status/status.h"
#include "engine/core/tensor.h"
#include "engine/ops/float_format.h"

namespace inferd {

class InferContext;
class KernelContext;

// How values that do not fit are converted; see the ONNX operator Cast.
struct CastOptions {
  bool saturate = true;                               // float8 targets
  PowerRounding power_rounding = PowerRounding::kUp;  // float8e8m0 targets
};

// Converts every element of `from` to the type of `to`, which has as many: all types but complex
// ones, text included. Float to integer truncates towards zero; out of range, 32 and 64 bits hold
// the nearest value and narrower ones keep the low bits. Integer to integer keeps the low bits.
// `to` may lie on `from`'s storage when its elements are no larger.
absl::Status CastElements(const Tensor& from, Tensor* to, const CastOptions& options = {});

// The kernel and rule of Cast and CastLike with target type `dtype`.
absl::Status CastFirstInput(KernelContext& context, DType dtype);
absl::Status InferCast(InferContext& context, DType dtype);

}  // namespace inferd
