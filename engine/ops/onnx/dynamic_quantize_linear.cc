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
  const UnsignedQuantization quantization = QuantizationOfRange(x.values<float>());
  if (context.wants_output(0)) {
    ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kUint8, x.shape()));
    for (int64_t i = 0; i < x.num_elements(); ++i) {
      y->mutable_data<uint8_t>()[i] = QuantizeUnsigned(x.data<float>()[i], quantization);
    }
  }
  if (context.wants_output(1)) {
    ASSIGN_OR_RETURN(Tensor * output, context.Output(1, DType::kFloat32, Shape()));
    *output->mutable_data<float>() = quantization.scale;
  }
  if (context.wants_output(2)) {
    ASSIGN_OR_RETURN(Tensor * output, context.Output(2, DType::kUint8, Shape()));
    *output->mutable_data<uint8_t>() = static_cast<uint8_t>(quantization.zero_point);
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
