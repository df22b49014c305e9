#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/convolution.h"
#include "engine/ops/fused_activation.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kX, kW, kBias, kSum };

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {kX, kW, kBias, kSum}));
  RETURN_IF_ERROR(ReadFusedActivation(context.attributes()).status());
  return InferConvolution(context, kX, kW, kBias, context.dtype(kX));
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(kX);
  const Tensor& w = context.input(kW);
  ASSIGN_OR_RETURN(const ConvolutionShape shape,
                   ResolveConvolution(context.attributes(), x.shape(), w.shape()));
  ASSIGN_OR_RETURN(const auto activation, ReadFusedActivation(context.attributes()));
  if (context.has_input(kBias)) {
    RETURN_IF_ERROR(CheckChannelVector("B", context.input(kBias).shape(), shape.out_channels));
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape.Output().ToShape()));
  if (context.has_input(kSum) && context.input(kSum).shape() != y->shape()) {
    return absl::InvalidArgumentError(absl::StrCat("Z has shape ",
                                                   context.input(kSum).shape().ToString(),
                                                   ", expected ", y->shape().ToString()));
  }
  if (y->num_elements() == 0) return absl::OkStatus();
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* bias = context.has_input(kBias) ? context.input(kBias).data<T>() : nullptr;
    T* to = y->mutable_data<T>();
    ConvolveBatch<T>(shape, x, w, bias, to);
    for (int64_t i = 0; i < y->num_elements(); ++i) {
      const double sum =
          context.has_input(kSum) ? static_cast<double>(context.input(kSum).data<T>()[i]) : 0;
      to[i] = static_cast<T>(activation(static_cast<double>(to[i]) + sum));
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef FusedConv() {
  return {.domain = "com.microsoft",
          .name = "FusedConv",
          .since = 1,
          .min_inputs = 2,
          .max_inputs = 4,
          .attributes = ConvolutionAttributes({{"activation", AttributeKind::kString},
                                               {"activation_params", AttributeKind::kFloats}}),
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
