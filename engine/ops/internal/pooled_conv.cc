#include "engine/core/status_macros.h"
#include "engine/ops/conv_activation.h"
#include "engine/ops/convolution.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::internal {
namespace {

absl::Status Infer(InferContext& context) {
  for (int i = 0; i < context.num_inputs(); ++i) {
    RETURN_IF_ERROR(CheckInputType(context, i, {DType::kFloat32}));
  }
  RETURN_IF_ERROR(InferConvolution(context, 0, 1, 2, DType::kFloat32));
  SymbolicShape means = context.output_type(0).shape;
  for (int i = 2; i < means.rank(); ++i) means[i] = 1;
  context.SetOutput(1, DType::kFloat32, std::move(means));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const Tensor& w = context.input(1);
  ASSIGN_OR_RETURN(const ConvolutionShape shape,
                   ResolveConvolution(context.attributes(), x.shape(), w.shape()));
  if (context.has_input(2)) {
    RETURN_IF_ERROR(CheckChannelVector("B", context.input(2).shape(), shape.out_channels));
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kFloat32, shape.Output().ToShape()));
  if (y->num_elements() > 0) {
    ConvolveBatch<float>(shape, x, w,
                         context.has_input(2) ? context.input(2).data<float>() : nullptr,
                         y->mutable_data<float>());
    ASSIGN_OR_RETURN(const auto activation, ConvActivation::Read(context.attributes()));
    activation.ApplyTo(*y);
  }
  return WriteChannelMeans(context, *y);
}

}  // namespace

// A Conv with an activation and, as the second output, what a GlobalAveragePool makes of the first.
// Made by FuseConvPools only.
OpDef PooledConv() {
  return {.domain = "inferd",
          .name = "PooledConv",
          .min_inputs = 2,
          .max_inputs = 3,
          .min_outputs = 2,
          .max_outputs = 2,
          .attributes = ConvolutionAttributes(
              {{"activation", AttributeKind::kString}, {"alpha", AttributeKind::kFloat}}),
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::internal
