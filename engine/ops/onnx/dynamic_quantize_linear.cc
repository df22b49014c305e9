#include <algorithm>
#include <cmath>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/quantization.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kFloat32}));
  context.SetOutput(0, DType::kUint8, context.shape(0));
  context.SetOutput(1, DType::kFloat32, SymbolicShape::Scalar());
  context.SetOutput(2, DType::kUint8, SymbolicShape::Scalar());
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  constexpr IntegerRange kRange{0, 255};
  // The range includes zero.
  float lowest = 0;
  float highest = 0;
  for (float value : x.values<float>()) {
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
  }
  const float spread = (highest - lowest) / 255.0f;
  const float scale = spread == 0 ? 1.0f : spread;
  const int64_t zero_point = QuantizeValue(-lowest / scale, 0, kRange);
  if (context.wants_output(0)) {
    ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kUint8, x.shape()));
    for (int64_t i = 0; i < x.num_elements(); ++i) {
      y->mutable_data<uint8_t>()[i] =
          static_cast<uint8_t>(QuantizeValue(x.data<float>()[i] / scale, zero_point, kRange));
    }
  }
  if (context.wants_output(1)) {
    ASSIGN_OR_RETURN(Tensor * output, context.Output(1, DType::kFloat32, Shape()));
    *output->mutable_data<float>() = scale;
  }
  if (context.wants_output(2)) {
    ASSIGN_OR_RETURN(Tensor * output, context.Output(2, DType::kUint8, Shape()));
    *output->mutable_data<uint8_t>() = static_cast<uint8_t>(zero_point);
  }
  return absl::OkStatus();
}

}  // namespace

OpDef DynamicQuantizeLinear() {
  return {.name = "DynamicQuantizeLinear",
          .since = 11,
          .min_outputs = 3,
          .max_outputs = 3,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
