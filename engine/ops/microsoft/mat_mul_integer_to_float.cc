#include "engine/core/status_macros.h"
#include "engine/ops/convolution.h"
#include "engine/ops/integer_matmul.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kA, kB, kAScale, kBScale, kAZero, kBZero, kBias };

absl::Status Infer(InferContext& context) {
  for (int i : {kA, kB}) RETURN_IF_ERROR(CheckInputType(context, i, {DType::kInt8, DType::kUint8}));
  RETURN_IF_ERROR(CheckInputType(context, kAScale, {DType::kFloat32, DType::kFloat16}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kA, kAZero}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kB, kBZero}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kAScale, kBScale, kBias}));
  ASSIGN_OR_RETURN(MatMulShape shape, ResolveMatMul(context.shape(kA), context.shape(kB)));
  RETURN_IF_ERROR(CheckColumnParameter(context, kBScale, shape.n));
  RETURN_IF_ERROR(CheckColumnParameter(context, kBZero, shape.n));
  if (context.has_input(kBias)) {
    RETURN_IF_ERROR(CheckChannelVector("bias", context.shape(kBias), shape.n));
  }
  context.SetOutput(0, context.dtype(kAScale), std::move(shape.output));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const auto input = [&](int i) { return context.has_input(i) ? &context.input(i) : nullptr; };
  return StoreRealProduct(context,
                          {.a = input(kA),
                           .a_scale = input(kAScale),
                           .a_zero = input(kAZero),
                           .b = input(kB),
                           .b_scale = input(kBScale),
                           .b_zero = input(kBZero),
                           .bias = input(kBias)},
                          context.input(kAScale).dtype());
}

}  // namespace

OpDef MatMulIntegerToFloat() {
  return {.domain = "com.microsoft",
          .name = "MatMulIntegerToFloat",
          .min_inputs = 4,
          .max_inputs = 7,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
