#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/integer_matmul.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/projected_attention.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kX, kWeights, kBias, kXScale, kWeightScale, kMask, kXZero, kWeightZero, kPast };

constexpr ProjectedInputs kOperands{.mask = kMask, .past = kPast, .added = -1};

absl::Status Infer(InferContext& context) {
  for (int i : {kX, kWeights}) {
    RETURN_IF_ERROR(CheckInputType(context, i, {DType::kInt8, DType::kUint8}));
  }
  RETURN_IF_ERROR(CheckInputType(context, kBias, {DType::kFloat32, DType::kFloat16}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kBias, kXScale, kWeightScale, kPast}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kX, kXZero}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kWeights, kWeightZero}));
  RETURN_IF_ERROR(CheckInputType(context, kMask, {DType::kInt32}));
  return InferProjectedAttention(context, kOperands, context.dtype(kBias));
}

// The product of a row's and a column's scale, for every column.
absl::StatusOr<std::vector<double>> ColumnScales(const KernelContext& context, int64_t columns) {
  ASSIGN_OR_RETURN(const std::vector<double> x_scale, ToDoubles(context.input(kXScale)));
  ASSIGN_OR_RETURN(std::vector<double> scales, ToDoubles(context.input(kWeightScale)));
  const int64_t given = static_cast<int64_t>(scales.size());
  if (x_scale.size() != 1 || (given != 1 && given != columns)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "input_scale and weight_scale have shapes ", context.input(kXScale).shape().ToString(),
        " and ", context.input(kWeightScale).shape().ToString(), ", expected one element, and ",
        columns, " or one"));
  }
  if (given != columns) scales.assign(columns, scales[0]);
  for (double& scale : scales) scale *= x_scale[0];
  return scales;
}

template <typename T>
absl::StatusOr<std::vector<T>> Project(const KernelContext& context, const ProjectedShape& shape) {
  const Tensor& x = context.input(kX);
  const Tensor& weights = context.input(kWeights);
  const auto optional = [&](int i) { return context.has_input(i) ? &context.input(i) : nullptr; };
  const int64_t columns = shape.columns().value;
  if (context.has_input(kXZero) && context.input(kXZero).num_elements() != 1) {
    return absl::InvalidArgumentError("input_zero_point must have one element");
  }
  ASSIGN_OR_RETURN(const std::vector<double> scales, ColumnScales(context, columns));
  ASSIGN_OR_RETURN(const MatMulShape product_shape, ResolveMatMul(x.shape(), weights.shape()));
  ASSIGN_OR_RETURN(
      const std::vector<uint32_t> product,
      IntegerMatMul(product_shape, x, optional(kXZero), weights, optional(kWeightZero)));
  std::vector<T> projected;
  projected.reserve(product.size());
  for (size_t i = 0; i < product.size(); ++i) {
    const int64_t column = static_cast<int64_t>(i) % columns;
    const double bias = context.input(kBias).data<T>()[column];
    projected.push_back(static_cast<T>(static_cast<int32_t>(product[i]) * scales[column] + bias));
  }
  return projected;
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const ProjectedShape shape, ResolveProjected(context, kOperands));
  RETURN_IF_ERROR(CheckProjectionBytes(shape, context.limit_bytes()));
  return DispatchTypes<float, Float16>(context.input(kBias).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    ASSIGN_OR_RETURN(const std::vector<T> projected, Project<T>(context, shape));
    return RunProjectedAttention<T>(context, kOperands, shape, projected);
  });
}

}  // namespace

OpDef QAttention() {
  return {.domain = "com.microsoft",
          .name = "QAttention",
          .min_inputs = 5,
          .max_inputs = 9,
          .max_outputs = 2,
          .attributes = {{"do_rotary", AttributeKind::kInt},
                         {"mask_filter_value", AttributeKind::kFloat},
                         {"num_heads", AttributeKind::kInt, true},
                         {"past_present_share_buffer", AttributeKind::kInt},
                         {"scale", AttributeKind::kFloat},
                         {"unidirectional", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
