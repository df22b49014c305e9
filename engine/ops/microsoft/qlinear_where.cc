#include "engine/core/status_macros.h"
#include "engine/ops/nested_op.h"
#include "engine/ops/op_def.h"
#include "engine/ops/quantized_value.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kCondition, kX, kXScale, kXZero, kY, kYScale, kYZero, kZScale, kZZero };
constexpr QuantizedInput kYes{kX, kXScale, kXZero};
constexpr QuantizedInput kNo{kY, kYScale, kYZero};

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, kCondition, {DType::kBool}));
  RETURN_IF_ERROR(CheckQuantizedInput(context, kYes));
  RETURN_IF_ERROR(CheckQuantizedInput(context, kNo));
  const ValueType yes = ValueType::OfTensor(DType::kFloat32, context.shape(kX));
  const ValueType no = ValueType::OfTensor(DType::kFloat32, context.shape(kY));
  ASSIGN_OR_RETURN(ValueType result, InferNested("Where", context.attributes(),
                                                 {&context.input_type(kCondition), &yes, &no}));
  return SetQuantizedOutput(context, kZScale, kZZero, context.dtype(kX), std::move(result.shape));
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const Tensor yes, Dequantize(context, kYes));
  ASSIGN_OR_RETURN(const Tensor no, Dequantize(context, kNo));
  ASSIGN_OR_RETURN(const Tensor result,
                   ComputeNested("Where", context.attributes(),
                                 {&context.input(kCondition), &yes, &no}, context.limit_bytes()));
  return StoreQuantized(context, result, kZScale, kZZero, context.input(kX).dtype());
}

}  // namespace

OpDef QlinearWhere() {
  return {.domain = "com.microsoft",
          .name = "QLinearWhere",
          .min_inputs = 9,
          .max_inputs = 9,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
