#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/integer_convolution.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/quantization.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kX, kXScale, kXZero, kW, kWScale, kWZero, kYScale, kYZero, kBias };

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, kBias, {DType::kInt32}));
  return InferConvolution(context, kX, kW, kBias, context.dtype(kYZero));
}

absl::StatusOr<double> ReadScale(absl::string_view name, const Tensor& tensor) {
  ASSIGN_OR_RETURN(const std::vector<double> scales, ToDoubles(tensor));
  if (scales.size() == 1) return scales[0];
  return absl::InvalidArgumentError(
      absl::StrCat(name, " has shape ", tensor.shape().ToString(), ", expected a scalar"));
}

absl::Status CheckBias(const KernelContext& context, const Dim& channels) {
  if (!context.has_input(kBias)) return absl::OkStatus();
  const Tensor& bias = context.input(kBias);
  if (bias.dtype() != DType::kInt32) {
    return absl::InvalidArgumentError(
        absl::StrCat("B has element type ", DTypeName(bias.dtype()), ", expected int32"));
  }
  return CheckChannelVector("B", bias.shape(), channels);
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(kX);
  const Tensor& w = context.input(kW);
  const DType dtype = context.input(kYZero).dtype();
  ASSIGN_OR_RETURN(const IntegerRange range, QuantizedRange(dtype));
  ASSIGN_OR_RETURN(const ConvolutionShape shape,
                   ResolveConvolution(context.attributes(), x.shape(), w.shape()));
  RETURN_IF_ERROR(CheckBias(context, shape.out_channels));
  ASSIGN_OR_RETURN(const double x_scale, ReadScale("x_scale", context.input(kXScale)));
  ASSIGN_OR_RETURN(const double y_scale, ReadScale("y_scale", context.input(kYScale)));
  ASSIGN_OR_RETURN(const std::vector<double> w_scales, ToDoubles(context.input(kWScale)));
  const int64_t channels = shape.out_channels.value;
  if (w_scales.size() != 1 && static_cast<int64_t>(w_scales.size()) != channels) {
    return absl::InvalidArgumentError(
        absl::StrCat("w_scale has ", w_scales.size(), " values, expected 1 or ", channels));
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> y_zeros, ReadZeroPoints(&context.input(kYZero), 1));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, shape.Output().ToShape()));
  ASSIGN_OR_RETURN(const std::vector<uint32_t> sums,
                   IntegerConvolution(shape, x, &context.input(kXZero), w, &context.input(kWZero),
                                      context.has_input(kBias) ? &context.input(kBias) : nullptr));
  const int64_t plane = shape.window.output_elements();
  for (size_t i = 0; i < sums.size(); ++i) {
    const size_t channel = w_scales.size() == 1 ? 0 : static_cast<int64_t>(i) / plane % channels;
    const double factor = x_scale * w_scales[channel] / y_scale;
    const float value =
        static_cast<float>(static_cast<double>(static_cast<int32_t>(sums[i])) * factor);
    y->mutable_data<uint8_t>()[i] = static_cast<uint8_t>(QuantizeValue(value, y_zeros[0], range));
  }
  return absl::OkStatus();
}

}  // namespace

OpDef QlinearConv() {
  return {.name = "QLinearConv",
          .since = 10,
          .min_inputs = 8,
          .max_inputs = 9,
          .attributes = ConvolutionAttributes(),
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
