#include "engine/core/status_macros.h"
#include "engine/ops/matmul.h"
#include "engine/ops/op_def.h"
#include "engine/ops/projected_attention.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

constexpr ProjectedInputs kInputs;

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(
      CheckInputType(context, kInputs.x, {DType::kFloat32, DType::kFloat16, DType::kBfloat16}));
  RETURN_IF_ERROR(CheckSameTypes(
      context, {kInputs.x, kInputs.weights, kInputs.bias, kInputs.past, kInputs.added}));
  RETURN_IF_ERROR(CheckInputType(context, kInputs.mask, {DType::kInt32}));
  return InferProjectedAttention(context, kInputs, context.dtype(kInputs.x));
}

// X times the weights, plus the bias.
template <typename T>
std::vector<T> Project(const KernelContext& context, const ProjectedShape& shape) {
  using Acc = AccumulatorOf<T>;
  const Tensor& x = context.input(kInputs.x);
  const Tensor& weights = context.input(kInputs.weights);
  const int64_t rows = shape.batch.value * shape.rows.value, columns = shape.columns().value;
  std::vector<Acc> sums(rows * columns, Acc(0));
  const T* bias = context.has_input(kInputs.bias) ? context.input(kInputs.bias).data<T>() : nullptr;
  for (int64_t i = 0; bias != nullptr && i < rows; ++i) {
    std::copy_n(bias, columns, sums.begin() + i * columns);
  }
  const Accumulators<Acc> left(x.data<T>(), x.num_elements());
  const Accumulators<Acc> right(weights.data<T>(), weights.num_elements());
  AddMatrixProduct(rows, columns, shape.input_size.value, left.data(), right.data(), sums.data());
  return std::vector<T>(sums.begin(), sums.end());
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const ProjectedShape shape, ResolveProjected(context, kInputs));
  RETURN_IF_ERROR(CheckProjectionBytes(shape, context.limit_bytes()));
  return DispatchTypes<float, Float16, Bfloat16>(context.input(kInputs.x).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return RunProjectedAttention<T>(context, kInputs, shape, Project<T>(context, shape));
  });
}

}  // namespace

OpDef Attention() {
  return {.domain = "com.microsoft",
          .name = "Attention",
          .min_inputs = 2,
          .max_inputs = 7,
          .max_outputs = 2,
          .attributes = {{"do_rotary", AttributeKind::kInt},
                         {"mask_filter_value", AttributeKind::kFloat},
                         {"num_heads", AttributeKind::kInt, true},
                         {"past_present_share_buffer", AttributeKind::kInt},
                         {"qkv_hidden_sizes", AttributeKind::kInts},
                         {"rotary_embedding_dim", AttributeKind::kInt},
                         {"scale", AttributeKind::kFloat},
                         {"unidirectional", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
