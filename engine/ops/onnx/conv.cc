#include "engine/core/status_macros.h"
#include "engine/ops/convolution.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {0, 1, 2}));
  return InferConvolution(context, 0, 1, 2, context.dtype(0));
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const Tensor& w = context.input(1);
  ASSIGN_OR_RETURN(const ConvolutionShape shape,
                   ResolveConvolution(context.attributes(), x.shape(), w.shape()));
  if (context.has_input(2)) {
    RETURN_IF_ERROR(CheckChannelVector("B", context.input(2).shape(), shape.out_channels));
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape.Output().ToShape()));
  if (y->num_elements() == 0) return absl::OkStatus();
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* bias = context.has_input(2) ? context.input(2).data<T>() : nullptr;
    ConvolveBatch<T>(shape, x, w, bias, y->mutable_data<T>());
    return absl::OkStatus();
  });
}

}  // namespace

OpDef Conv() {
  return {.name = "Conv",
          .since = 22,
          .min_inputs = 2,
          .max_inputs = 3,
          .attributes = ConvolutionAttributes(),
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
