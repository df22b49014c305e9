#include "engine/ops/quantized_value.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/quantization.h"
#include "engine/ops/type_check.h"

namespace inferd {
namespace {

absl::Status CheckPresent(const InferContext& context, int i) {
  if (context.has_input(i)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("input ", i, " is absent, but the operator requires it"));
}

absl::Status CheckOneElement(const InferContext& context, int i) {
  if (!context.has_input(i) || !context.shape(i).IsConcrete()) return absl::OkStatus();
  const Shape shape = context.shape(i).ToShape();
  if (shape.num_elements() == 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("input ", i, " has shape ", shape.ToString(), ", expected one element"));
}

absl::Status CheckParameters(const InferContext& context, int scale, int zero_point) {
  RETURN_IF_ERROR(CheckPresent(context, scale));
  RETURN_IF_ERROR(CheckInputType(context, scale, {DType::kFloat32}));
  RETURN_IF_ERROR(CheckInputType(context, zero_point, {DType::kUint8, DType::kInt8}));
  RETURN_IF_ERROR(CheckOneElement(context, scale));
  return CheckOneElement(context, zero_point);
}

const Tensor* InputOrNull(const KernelContext& context, int i) {
  return context.has_input(i) ? &context.input(i) : nullptr;
}

}  // namespace

absl::Status CheckQuantizedInput(const InferContext& context, const QuantizedInput& input) {
  RETURN_IF_ERROR(CheckPresent(context, input.value));
  RETURN_IF_ERROR(CheckInputType(context, input.value, {DType::kUint8, DType::kInt8}));
  RETURN_IF_ERROR(CheckSameTypes(context, {input.value, input.zero_point}));
  return CheckParameters(context, input.scale, input.zero_point);
}

absl::Status SetQuantizedOutput(InferContext& context, int scale, int zero_point, DType missing,
                                SymbolicShape shape) {
  RETURN_IF_ERROR(CheckParameters(context, scale, zero_point));
  context.SetOutput(0, context.has_input(zero_point) ? context.dtype(zero_point) : missing,
                    std::move(shape));
  return absl::OkStatus();
}

absl::StatusOr<float> ReadScale(const Tensor& scale) {
  if (scale.num_elements() == 1) return scale.data<float>()[0];
  return absl::InvalidArgumentError(
      absl::StrCat("scale has shape ", scale.shape().ToString(), ", expected one element"));
}

absl::StatusOr<Tensor> Dequantize(const KernelContext& context, const QuantizedInput& input) {
  const Tensor& x = context.input(input.value);
  ASSIGN_OR_RETURN(const float scale, ReadScale(context.input(input.scale)));
  ASSIGN_OR_RETURN(const std::vector<int64_t> zeros,
                   ReadZeroPoints(InputOrNull(context, input.zero_point), 1));
  ASSIGN_OR_RETURN(Tensor result, Tensor::Allocate(DType::kFloat32, x.shape(), Layout::kRowMajor,
                                                   context.limit_bytes()));
  RETURN_IF_ERROR((DispatchTypes<uint8_t, int8_t>(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < x.num_elements(); ++i) {
      result.mutable_data<float>()[i] = static_cast<float>(x.data<T>()[i] - zeros[0]) * scale;
    }
    return absl::OkStatus();
  })));
  return result;
}

absl::Status StoreQuantized(KernelContext& context, const Tensor& values, int scale, int zero_point,
                            DType missing) {
  const Tensor* zero = InputOrNull(context, zero_point);
  const DType dtype = zero == nullptr ? missing : zero->dtype();
  ASSIGN_OR_RETURN(const float divisor, ReadScale(context.input(scale)));
  ASSIGN_OR_RETURN(const std::vector<int64_t> zeros, ReadZeroPoints(zero, 1));
  ASSIGN_OR_RETURN(const IntegerRange range, QuantizedRange(dtype));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, values.shape()));
  for (int64_t i = 0; i < values.num_elements(); ++i) {
    y->mutable_data<uint8_t>()[i] =
        static_cast<uint8_t>(QuantizeValue(values.data<float>()[i] / divisor, zeros[0], range));
  }
  return absl::OkStatus();
}

}  // namespace inferd
