#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/integer_matmul.h"
#include "engine/ops/nested_op.h"
#include "engine/ops/op_def.h"
#include "engine/ops/quantized_value.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kA, kAScale, kAZero, kB, kBScale, kBZero, kC, kYScale, kYZero };

absl::StatusOr<MatMulShape> Resolve(const Attributes& attributes, const SymbolicShape& a,
                                    const SymbolicShape& b) {
  if ((a.has_rank() && a.rank() != 2) || (b.has_rank() && b.rank() != 2)) {
    return absl::InvalidArgumentError(absl::StrCat("A and B have shapes ", a.ToString(), " and ",
                                                   b.ToString(), ", expected two matrices"));
  }
  const SymbolicShape any = SymbolicShape::OfRank(2);
  return ResolveMatMul(a.has_rank() ? a : any, b.has_rank() ? b : any,
                       attributes.Int("transA", 0) != 0, attributes.Int("transB", 0) != 0);
}

absl::Status CheckAddend(const SymbolicShape& c, const SymbolicShape& output) {
  ASSIGN_OR_RETURN(const SymbolicShape both, BroadcastShapes(c, output));
  bool fits = !both.has_rank() || both.rank() == 2;
  for (int i = 0; fits && i < both.rank(); ++i) {
    fits = !output[i].known() || !both[i].known() || both[i].value == output[i].value;
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "C has shape ", c.ToString(), ", which does not broadcast to ", output.ToString()));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckQuantizedInput(context, {kA, kAScale, kAZero}));
  for (int i : {kB, kBZero}) {
    RETURN_IF_ERROR(CheckInputType(context, i, {DType::kUint8, DType::kInt8}));
  }
  RETURN_IF_ERROR(CheckSameTypes(context, {kB, kBZero}));
  RETURN_IF_ERROR(CheckInputType(context, kBScale, {DType::kFloat32}));
  RETURN_IF_ERROR(CheckInputType(context, kC, {DType::kInt32}));
  ASSIGN_OR_RETURN(const MatMulShape shape,
                   Resolve(context.attributes(), context.shape(kA), context.shape(kB)));
  RETURN_IF_ERROR(CheckColumnParameter(context, kBScale, shape.n));
  RETURN_IF_ERROR(CheckColumnParameter(context, kBZero, shape.n));
  if (context.has_input(kC)) RETURN_IF_ERROR(CheckAddend(context.shape(kC), shape.output));
  if (context.has_input(kYScale)) {
    return SetQuantizedOutput(context, kYScale, kYZero, context.dtype(kA), shape.output);
  }
  context.SetOutput(0, DType::kFloat32, shape.output);
  return absl::OkStatus();
}

// The matrix that `attribute` asks to transpose, as it takes part in the product.
absl::StatusOr<Tensor> Operand(const KernelContext& context, int i, absl::string_view attribute) {
  if (context.attributes().Int(attribute, 0) == 0) return context.input(i);
  return ComputeNested("Transpose", {}, {&context.input(i)}, context.limit_bytes());
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const Tensor a, Operand(context, kA, "transA"));
  ASSIGN_OR_RETURN(const Tensor b, Operand(context, kB, "transB"));
  ASSIGN_OR_RETURN(const MatMulShape shape, ResolveMatMul(a.shape(), b.shape()));
  const Shape output = shape.output.ToShape();
  ASSIGN_OR_RETURN(std::vector<uint32_t> sums,
                   IntegerMatMul(shape, a, &context.input(kAZero), b, &context.input(kBZero)));
  if (context.has_input(kC)) {
    const Tensor& c = context.input(kC);
    RETURN_IF_ERROR(CheckAddend(c.shape(), shape.output));
    BroadcastWalk<1> walk(output, {&c.shape()});
    for (uint32_t& sum : sums) {
      sum += static_cast<uint32_t>(c.data<int32_t>()[walk.offset(0)]);
      walk.Next();
    }
  }
  ASSIGN_OR_RETURN(const std::vector<double> values,
                   ScaledSums(shape, sums, context.input(kAScale), context.input(kBScale)));
  const double alpha = context.attributes().Float("alpha", 1);
  ASSIGN_OR_RETURN(Tensor floats, Tensor::Allocate(DType::kFloat32, output, Layout::kRowMajor,
                                                   context.limit_bytes()));
  for (size_t i = 0; i < values.size(); ++i) {
    floats.mutable_data<float>()[i] = static_cast<float>(alpha * values[i]);
  }
  if (!context.has_input(kYScale)) return StoreOutput(context, 0, floats);
  return StoreQuantized(context, floats, kYScale, kYZero, a.dtype());
}

}  // namespace

OpDef Qgemm() {
  return {.domain = "com.microsoft",
          .name = "QGemm",
          .min_inputs = 6,
          .max_inputs = 9,
          .attributes = {{"alpha", AttributeKind::kFloat},
                         {"transA", AttributeKind::kInt},
                         {"transB", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
