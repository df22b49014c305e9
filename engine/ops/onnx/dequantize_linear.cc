#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/cast.h"
#include "engine/ops/op_def.h"
#include "engine/ops/quantization.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<DType> OutputType(const Attributes& attributes, DType scale) {
  const int64_t code = attributes.Int("output_dtype", 0);
  const DType dtype = code == 0                 ? scale
                      : code > 0 && code <= 255 ? static_cast<DType>(code)
                                                : DType::kInvalid;
  if (dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBfloat16) {
    return dtype;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("cannot dequantize to element type ",
                   code == 0 ? std::string(DTypeName(scale)) : absl::StrCat(code)));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckQuantizationShapes(context, 0, 1, 2));
  ASSIGN_OR_RETURN(const DType dtype, OutputType(context.attributes(), context.dtype(1)));
  context.SetOutput(0, dtype, context.shape(0));
  return absl::OkStatus();
}

absl::StatusOr<Tensor> AsFloats(const Tensor& tensor) {
  ASSIGN_OR_RETURN(Tensor floats, Tensor::Allocate(DType::kFloat32, tensor.shape()));
  RETURN_IF_ERROR(CastElements(tensor, &floats));
  return floats;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const Tensor& scale = context.input(1);
  ASSIGN_OR_RETURN(const DType dtype, OutputType(context.attributes(), scale.dtype()));
  ASSIGN_OR_RETURN(const QuantizationGrid grid,
                   QuantizationGrid::Make(context.attributes(), x.shape(), scale.shape()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, x.shape()));
  ASSIGN_OR_RETURN(const Tensor scales, AsFloats(scale));
  Tensor zeros;
  if (context.has_input(2)) {
    const Tensor& zero_point = context.input(2);
    if (zero_point.num_elements() != scale.num_elements()) {
      return absl::InvalidArgumentError(absl::StrCat("zero point has shape ",
                                                     zero_point.shape().ToString(), ", scale has ",
                                                     scale.shape().ToString()));
    }
    ASSIGN_OR_RETURN(zeros, AsFloats(zero_point));
  }
  // int32 has more digits than float: differences are taken in double.
  ASSIGN_OR_RETURN(Tensor values, Tensor::Allocate(DType::kFloat64, x.shape()));
  RETURN_IF_ERROR(CastElements(x, &values));
  return DispatchTypes<float, Float16, Bfloat16>(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < x.num_elements(); ++i) {
      const int64_t at = grid.ScaleIndex(i);
      const double zero = zeros.has_data() ? zeros.data<float>()[at] : 0.0;
      const float centered = static_cast<float>(values.data<double>()[i] - zero);
      y->mutable_data<T>()[i] = static_cast<T>(centered * scales.data<float>()[at]);
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef DequantizeLinear() {
  return {.name = "DequantizeLinear",
          .since = 28,
          .min_inputs = 2,
          .max_inputs = 3,
          .attributes = {{"axis", AttributeKind::kInt},
                         {"block_size", AttributeKind::kInt},
                         {"output_dtype", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
