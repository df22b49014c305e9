#include "engine/core/status_macros.h"
#include "engine/ops/convolution.h"
#include "engine/ops/integer_matmul.h"
#include "engine/ops/op_def.h"
#include "engine/ops/quantization.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kA, kB, kBScale, kBZero, kBias };

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, kA, {DType::kFloat32}));
  RETURN_IF_ERROR(CheckInputType(context, kB, {DType::kInt8, DType::kUint8}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kA, kBScale, kBias}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kB, kBZero}));
  ASSIGN_OR_RETURN(MatMulShape shape, ResolveMatMul(context.shape(kA), context.shape(kB)));
  RETURN_IF_ERROR(CheckColumnParameter(context, kBScale, shape.n));
  RETURN_IF_ERROR(CheckColumnParameter(context, kBZero, shape.n));
  if (context.has_input(kBias)) {
    RETURN_IF_ERROR(CheckChannelVector("bias", context.shape(kBias), shape.n));
  }
  context.SetOutput(0, DType::kFloat32, std::move(shape.output));
  return absl::OkStatus();
}

// A is quantized over its whole range, so that a row's result depends on the other rows.
absl::Status Compute(KernelContext& context) {
  const Tensor& a = context.input(kA);
  const UnsignedQuantization quantization = QuantizationOfRange(a.values<float>());
  ASSIGN_OR_RETURN(Tensor integers, Tensor::Allocate(DType::kUint8, a.shape(), Layout::kRowMajor,
                                                     context.limit_bytes()));
  for (int64_t i = 0; i < a.num_elements(); ++i) {
    integers.mutable_data<uint8_t>()[i] = QuantizeUnsigned(a.data<float>()[i], quantization);
  }
  const Tensor scale = Tensor::Scalar<float>(quantization.scale);
  const Tensor zero = Tensor::Scalar<uint8_t>(static_cast<uint8_t>(quantization.zero_point));
  const auto input = [&](int i) { return context.has_input(i) ? &context.input(i) : nullptr; };
  return StoreRealProduct(context,
                          {.a = &integers,
                           .a_scale = &scale,
                           .a_zero = &zero,
                           .b = input(kB),
                           .b_scale = input(kBScale),
                           .b_zero = input(kBZero),
                           .bias = input(kBias)},
                          DType::kFloat32);
}

}  // namespace

OpDef DynamicQuantizeMatMul() {
  return {.domain = "com.microsoft",
          .name = "DynamicQuantizeMatMul",
          .min_inputs = 3,
          .max_inputs = 5,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
