#pragma once

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// The inputs of an operator that together are one 8-bit tensor: its integers, their scale (float32)
// and their zero point (of the integers' type, optional), both of one element.
struct QuantizedInput {
  int value;
  int scale;
  int zero_point;
};

// For shape rules. INVALID_ARGUMENT naming the input that is absent or has another type or shape.
// Operators whose zero points are optional and not last take them on import with min_inputs of 2.
absl::Status CheckQuantizedInput(const InferContext& context, const QuantizedInput& input);
// Sets output 0 of `shape`, quantized by the inputs `scale` and `zero_point`: it has the zero
// point's type, or `missing` without one.
absl::Status SetQuantizedOutput(InferContext& context, int scale, int zero_point, DType missing,
                                SymbolicShape shape);

// The input as float32: (value - zero point) * scale.
absl::StatusOr<Tensor> Dequantize(const KernelContext& context, const QuantizedInput& input);
// Output 0 = float32 `values`, quantized by the inputs `scale` and `zero_point`.
absl::Status StoreQuantized(KernelContext& context, const Tensor& values, int scale, int zero_point,
                            DType missing);

// The one float32 of a scale.
absl::StatusOr<float> ReadScale(const Tensor& scale);

}  // namespace inferd
