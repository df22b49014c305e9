#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/conv_activation.h"
#include "engine/ops/convolution.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::internal {
namespace {

enum Input { kX, kExpansion, kExpansionBias, kWeights, kBias };

struct Shapes {
  ConvolutionShape expansion;
  ConvolutionShape convolution;
};

absl::StatusOr<Shapes> Resolve(const Attributes& attributes, const SymbolicShape& x,
                               const SymbolicShape& expansion, const SymbolicShape& weights) {
  Shapes shapes;
  ASSIGN_OR_RETURN(shapes.expansion, ResolveConvolution(Attributes(), x, expansion));
  ASSIGN_OR_RETURN(shapes.convolution,
                   ResolveConvolution(attributes, shapes.expansion.Output(), weights));
  return shapes;
}

absl::Status Infer(InferContext& context) {
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (!context.has_input(i) && i != kExpansionBias && i != kBias) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " is absent"));
    }
    RETURN_IF_ERROR(CheckInputType(context, i, {DType::kFloat32}));
  }
  ASSIGN_OR_RETURN(const Shapes shapes,
                   Resolve(context.attributes(), context.shape(kX), context.shape(kExpansion),
                           context.shape(kWeights)));
  SymbolicShape y = shapes.convolution.Output();
  context.SetOutput(0, DType::kFloat32, y);
  for (int i = 2; i < y.rank(); ++i) y[i] = 1;
  context.SetOutput(1, DType::kFloat32, std::move(y));
  return absl::OkStatus();
}

const float* FloatsOf(const KernelContext& context, int i) {
  return context.has_input(i) ? context.input(i).data<float>() : nullptr;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(kX);
  ASSIGN_OR_RETURN(const Shapes shapes,
                   Resolve(context.attributes(), x.shape(), context.input(kExpansion).shape(),
                           context.input(kWeights).shape()));
  ASSIGN_OR_RETURN(const auto expand, ConvActivation::Read(context.attributes(), "expand_"));
  ASSIGN_OR_RETURN(const auto activate, ConvActivation::Read(context.attributes()));
  ASSIGN_OR_RETURN(Tensor expanded,
                   Tensor::Allocate(DType::kFloat32, shapes.expansion.Output().ToShape()));
  ASSIGN_OR_RETURN(Tensor * y,
                   context.Output(0, DType::kFloat32, shapes.convolution.Output().ToShape()));
  if (y->num_elements() > 0) {
    ConvolveBatch<float>(shapes.expansion, x, context.input(kExpansion),
                         FloatsOf(context, kExpansionBias), expanded.mutable_data<float>());
    expand.ApplyTo(expanded);
    ConvolveBatch<float>(shapes.convolution, expanded, context.input(kWeights),
                         FloatsOf(context, kBias), y->mutable_data<float>());
    activate.ApplyTo(*y);
  }
  return context.wants_output(1) ? WriteChannelMeans(context, *y) : absl::OkStatus();
}

}  // namespace

// A pointwise convolution and the convolution that reads it, each with an activation: X, the
// weights and bias of the first, those of the second, whose attributes these are. The second output
// is what a GlobalAveragePool makes of the first. Made by FuseExpansions only.
OpDef ExpandedConv() {
  return {.domain = "inferd",
          .name = "ExpandedConv",
          .min_inputs = 4,
          .max_inputs = 5,
          .min_outputs = 1,
          .max_outputs = 2,
          .attributes = ConvolutionAttributes({{"activation", AttributeKind::kString},
                                               {"alpha", AttributeKind::kFloat},
                                               {"expand_activation", AttributeKind::kString},
                                               {"expand_alpha", AttributeKind::kFloat}}),
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::internal
