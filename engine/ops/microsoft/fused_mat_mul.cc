#include <algorithm>

#include "engine/core/status_macros.h"
#include "engine/ops/matmul.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

absl::StatusOr<MatMulShape> Resolve(const Attributes& attributes, const SymbolicShape& a,
                                    const SymbolicShape& b) {
  if (attributes.Int("transBatchA", 0) != 0 || attributes.Int("transBatchB", 0) != 0) {
    return absl::UnimplementedError("attributes transBatchA and transBatchB are not supported");
  }
  return ResolveMatMul(a, b, attributes.Int("transA", 0) != 0, attributes.Int("transB", 0) != 0);
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {0, 1}));
  ASSIGN_OR_RETURN(MatMulShape shape,
                   Resolve(context.attributes(), context.shape(0), context.shape(1)));
  context.SetOutput(0, context.dtype(0), std::move(shape.output));
  return absl::OkStatus();
}

// The matrix [rows,columns] at `values`, of which the transpose is stored when `transposed`.
template <typename Acc, typename T>
std::vector<Acc> Matrix(const T* values, int64_t rows, int64_t columns, bool transposed) {
  if (transposed) return Transposed<Acc>(values, columns, rows);
  return std::vector<Acc>(values, values + rows * columns);
}

template <typename T>
void Multiply(KernelContext& context, const MatMulShape& shape, T* y) {
  using Acc = AccumulatorOf<T>;
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  const int64_t m = shape.m.value, n = shape.n.value, k = shape.k.value;
  const bool transpose_a = a.rank() > 1 && context.attributes().Int("transA", 0) != 0;
  const bool transpose_b = b.rank() > 1 && context.attributes().Int("transB", 0) != 0;
  const Acc alpha = static_cast<Acc>(context.attributes().Float("alpha", 1));
  const MatrixOffsets offsets = StackOffsets(shape, a.shape(), b.shape());
  for (size_t i = 0; i < offsets.a.size(); ++i) {
    const std::vector<Acc> left = Matrix<Acc>(a.data<T>() + offsets.a[i], m, k, transpose_a);
    const std::vector<Acc> right = Matrix<Acc>(b.data<T>() + offsets.b[i], k, n, transpose_b);
    std::vector<Acc> product(m * n, Acc(0));
    AddMatrixProduct(m, n, k, left.data(), right.data(), product.data());
    for (Acc value : product) *y++ = static_cast<T>(alpha * value);
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& a = context.input(0);
  ASSIGN_OR_RETURN(const MatMulShape shape,
                   Resolve(context.attributes(), a.shape(), context.input(1).shape()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, a.dtype(), shape.output.ToShape()));
  if (y->num_elements() == 0) return absl::OkStatus();
  return DispatchFloat(a.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    Multiply(context, shape, y->mutable_data<T>());
    return absl::OkStatus();
  });
}

}  // namespace

OpDef FusedMatMul() {
  return {.domain = "com.microsoft",
          .name = "FusedMatMul",
          .since = 1,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"alpha", AttributeKind::kFloat},
                         {"transA", AttributeKind::kInt},
                         {"transB", AttributeKind::kInt},
                         {"transBatchA", AttributeKind::kInt},
                         {"transBatchB", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
