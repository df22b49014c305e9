#include "engine/core/status_macros.h"
#include "engine/ops/fused_activation.h"
#include "engine/ops/nested_op.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(
      context, 0, {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}));
  RETURN_IF_ERROR(ReadFusedActivation(context.attributes()).status());
  ASSIGN_OR_RETURN(ValueType type,
                   InferNested("Gemm", context.attributes(),
                               {&context.input_type(0), &context.input_type(1),
                                context.has_input(2) ? &context.input_type(2) : nullptr}));
  context.SetOutput(0, std::move(type));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const auto activation, ReadFusedActivation(context.attributes()));
  ASSIGN_OR_RETURN(const Tensor product,
                   ComputeNested("Gemm", context.attributes(),
                                 {&context.input(0), &context.input(1),
                                  context.has_input(2) ? &context.input(2) : nullptr},
                                 context.limit_bytes()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, product.dtype(), product.shape()));
  return DispatchFloat(product.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < product.num_elements(); ++i) {
      y->mutable_data<T>()[i] =
          static_cast<T>(activation(static_cast<double>(product.data<T>()[i])));
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef FusedGemm() {
  return {.domain = "com.microsoft",
          .name = "FusedGemm",
          .min_inputs = 2,
          .max_inputs = 3,
          .attributes = {{"activation", AttributeKind::kString},
                         {"activation_alpha", AttributeKind::kFloat},
                         {"activation_beta", AttributeKind::kFloat},
                         {"activation_gamma", AttributeKind::kFloat},
                         {"alpha", AttributeKind::kFloat},
                         {"beta", AttributeKind::kFloat},
                         {"leaky_relu_alpha", AttributeKind::kFloat},
                         {"transA", AttributeKind::kInt},
                         {"transB", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
