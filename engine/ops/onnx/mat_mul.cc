#include <algorithm>

#include "engine/core/status_macros.h"
#include "engine/ops/matmul.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {0, 1}));
  ASSIGN_OR_RETURN(MatMulShape shape, ResolveMatMul(context.shape(0), context.shape(1)));
  context.SetOutput(0, context.dtype(0), std::move(shape.output));
  return absl::OkStatus();
}

template <typename T>
void Multiply(const MatMulShape& shape, const Tensor& a, const Tensor& b, T* y) {
  using Acc = AccumulatorOf<T>;
  const int64_t m = shape.m.value, n = shape.n.value, k = shape.k.value;
  const Accumulators<Acc> left(a.data<T>(), a.num_elements());
  const Accumulators<Acc> right(b.data<T>(), b.num_elements());
  const MatrixOffsets offsets = StackOffsets(shape, a.shape(), b.shape());
  std::vector<Acc> product(m * n);
  for (size_t i = 0; i < offsets.a.size(); ++i) {
    std::fill(product.begin(), product.end(), Acc(0));
    AddMatrixProduct(m, n, k, left.data() + offsets.a[i], right.data() + offsets.b[i],
                     product.data());
    for (Acc value : product) *y++ = static_cast<T>(value);
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  ASSIGN_OR_RETURN(const MatMulShape shape, ResolveMatMul(a.shape(), b.shape()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, a.dtype(), shape.output.ToShape()));
  if (y->num_elements() == 0) return absl::OkStatus();
  return DispatchTypes<float, double, Float16, Bfloat16, int32_t, int64_t, uint32_t, uint64_t>(
      a.dtype(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        Multiply<T>(shape, a, b, y->mutable_data<T>());
        return absl::OkStatus();
      });
}

}  // namespace

OpDef MatMul() {
  return {.name = "MatMul",
          .since = 13,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
