#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/cast.h"
#include "engine/ops/dtype_attribute.h"
#include "engine/ops/matmul.h"
#include "engine/ops/nested_op.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::internal {
namespace {

enum Input { kA, kB, kAScale, kBScale };

absl::StatusOr<DType> OutputType(const Attributes& attributes) {
  return ReadDType(attributes, "output_dtype", DType::kFloat32,
                   {DType::kFloat32, DType::kFloat16, DType::kBfloat16});
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputsGiven(context, {kA, kB, kAScale, kBScale}));
  for (const Input input : {kA, kB}) {
    RETURN_IF_ERROR(CheckInputType(context, input, {DType::kFloat8E4m3fn, DType::kFloat8E5m2}));
  }
  for (const Input input : {kAScale, kBScale}) {
    RETURN_IF_ERROR(CheckInputType(context, input, {DType::kFloat32}));
    const SymbolicShape& shape = context.shape(input);
    if (shape.IsConcrete() && shape.ToShape().num_elements() != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("input ", input, " has shape ", shape.ToString(), ", expected one element"));
    }
  }
  ASSIGN_OR_RETURN(MatMulShape shape,
                   ResolveMatMul(context.shape(kA), context.shape(kB), /*transpose_a=*/false,
                                 context.attributes().Int("transB", 0) != 0));
  ASSIGN_OR_RETURN(const DType dtype, OutputType(context.attributes()));
  context.SetOutput(0, dtype, std::move(shape.output));
  return absl::OkStatus();
}

// The numbers that `values` stand for.
absl::StatusOr<Tensor> Scaled(const KernelContext& context, Input values, Input scale) {
  return ComputeNested("DequantizeLinear", {}, {&context.input(values), &context.input(scale)},
                       context.limit_bytes());
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const Tensor a, Scaled(context, kA, kAScale));
  ASSIGN_OR_RETURN(Tensor b, Scaled(context, kB, kBScale));
  if (b.rank() > 1 && context.attributes().Int("transB", 0) != 0) {
    std::vector<int64_t> order;
    for (int d = 0; d < b.rank(); ++d) order.push_back(d);
    std::swap(order[b.rank() - 2], order[b.rank() - 1]);
    Attributes transpose;
    transpose.Set("perm", std::move(order));
    ASSIGN_OR_RETURN(b, ComputeNested("Transpose", transpose, {&b}, context.limit_bytes()));
  }
  ASSIGN_OR_RETURN(const Tensor product,
                   ComputeNested("MatMul", {}, {&a, &b}, context.limit_bytes()));
  ASSIGN_OR_RETURN(const DType dtype, OutputType(context.attributes()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, product.shape()));
  return CastElements(product, y);
}

}  // namespace

// The product (a_scale A) (b_scale B) of matrices of 8-bit floats, or of stacks of them as MatMul
// takes them; with `transB` each of B's is stored transposed. Scales are one float each. Made by
// FuseScaledProducts only.
OpDef ScaledMatMul() {
  return {.domain = "inferd",
          .name = "ScaledMatMul",
          .min_inputs = 4,
          .max_inputs = 4,
          .attributes = {{"output_dtype", AttributeKind::kInt}, {"transB", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::internal
