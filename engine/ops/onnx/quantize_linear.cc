#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/cast.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/quantization.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<DType> TypeAttribute(const Attributes& attributes, absl::string_view name,
                                    DType missing) {
  const int64_t code = attributes.Int(name, 0);
  if (code == 0) return missing;
  if (code > 0 && code <= 255 && IsKnownDType(static_cast<int>(code))) {
    return static_cast<DType>(code);
  }
  return absl::InvalidArgumentError(absl::StrCat("attribute ", name, " is ", code));
}

absl::StatusOr<DType> OutputType(const Attributes& attributes, DType zero_point) {
  const DType missing = zero_point == DType::kInvalid ? DType::kUint8 : zero_point;
  ASSIGN_OR_RETURN(const DType dtype, TypeAttribute(attributes, "output_dtype", missing));
  if (zero_point != DType::kInvalid && dtype != zero_point) {
    return absl::InvalidArgumentError(absl::StrCat("attribute output_dtype is ", DTypeName(dtype),
                                                   ", the zero point has ", DTypeName(zero_point)));
  }
  if (IsQuantizedType(dtype) && dtype != DType::kInt32) return dtype;
  return absl::InvalidArgumentError(
      absl::StrCat("cannot quantize to element type ", DTypeName(dtype)));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckQuantizationShapes(context, 0, 1, 2));
  const DType zero_point = context.has_input(2) ? context.dtype(2) : DType::kInvalid;
  ASSIGN_OR_RETURN(const DType dtype, OutputType(context.attributes(), zero_point));
  context.SetOutput(0, dtype, context.shape(0));
  return absl::OkStatus();
}

// Values of any type that Cast reads, as float.
absl::StatusOr<std::vector<float>> AsFloats(const Tensor& tensor) {
  ASSIGN_OR_RETURN(Tensor floats, Tensor::Allocate(DType::kFloat32, tensor.shape()));
  RETURN_IF_ERROR(CastElements(tensor, &floats));
  return std::vector<float>(floats.data<float>(), floats.data<float>() + floats.num_elements());
}

// x / scale, rounded to `precision` as the standard's division in that type is.
absl::StatusOr<std::vector<float>> Divided(KernelContext& context, const QuantizationGrid& grid) {
  ASSIGN_OR_RETURN(std::vector<float> values, AsFloats(context.input(0)));
  ASSIGN_OR_RETURN(const std::vector<float> scales, AsFloats(context.input(1)));
  ASSIGN_OR_RETURN(const DType precision,
                   TypeAttribute(context.attributes(), "precision", context.input(1).dtype()));
  for (size_t i = 0; i < values.size(); ++i) {
    const float quotient = values[i] / scales[grid.ScaleIndex(static_cast<int64_t>(i))];
    values[i] = precision == DType::kFloat16    ? float{Float16(quotient)}
                : precision == DType::kBfloat16 ? float{Bfloat16(quotient)}
                                                : quotient;
  }
  return values;
}

template <typename T>
void StoreIntegers(const std::vector<float>& values, const std::vector<int64_t>& zero_points,
                   const QuantizationGrid& grid, const IntegerRange& range, Tensor* y) {
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t zero_point = zero_points[grid.ScaleIndex(static_cast<int64_t>(i))];
    y->mutable_data<T>()[i] = static_cast<T>(QuantizeValue(values[i], zero_point, range));
  }
}

absl::Status StoreFloats(KernelContext& context, std::vector<float> values,
                         const QuantizationGrid& grid, Tensor* y) {
  if (context.has_input(2)) {
    ASSIGN_OR_RETURN(const std::vector<float> zeros, AsFloats(context.input(2)));
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] += zeros[grid.ScaleIndex(static_cast<int64_t>(i))];
    }
  }
  const Tensor from = Tensor::View(DType::kFloat32, y->shape(), values.data());
  return CastElements(from, y, {.saturate = context.attributes().Int("saturate", 1) != 0});
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const Tensor& scale = context.input(1);
  const Tensor* zero = context.has_input(2) ? &context.input(2) : nullptr;
  ASSIGN_OR_RETURN(const DType dtype,
                   OutputType(context.attributes(), zero ? zero->dtype() : DType::kInvalid));
  ASSIGN_OR_RETURN(const QuantizationGrid grid,
                   QuantizationGrid::Make(context.attributes(), x.shape(), scale.shape()));
  if (zero != nullptr && zero->num_elements() != scale.num_elements()) {
    return absl::InvalidArgumentError(absl::StrCat("zero point has shape ",
                                                   zero->shape().ToString(), ", scale has ",
                                                   scale.shape().ToString()));
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, x.shape()));
  ASSIGN_OR_RETURN(std::vector<float> values, Divided(context, grid));
  const auto range = QuantizedRange(dtype);
  if (!range.ok()) return StoreFloats(context, std::move(values), grid, y);
  ASSIGN_OR_RETURN(const std::vector<int64_t> zeros, ReadZeroPoints(zero, scale.num_elements()));
  if (ElementBytes(dtype) == 2) {
    StoreIntegers<int16_t>(values, zeros, grid, *range, y);
  } else {
    StoreIntegers<int8_t>(values, zeros, grid, *range, y);
  }
  return absl::OkStatus();
}

}  // namespace

OpDef QuantizeLinear() {
  return {.name = "QuantizeLinear",
          .since = 28,
          .min_inputs = 2,
          .max_inputs = 3,
          .attributes = {{"axis", AttributeKind::kInt},
                         {"block_size", AttributeKind::kInt},
                         {"output_dtype", AttributeKind::kInt},
                         {"precision", AttributeKind::kInt},
                         {"saturate", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
