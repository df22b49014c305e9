#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/arithmetic.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/matmul.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<MatMulShape> Resolve(const Attributes& attributes, const SymbolicShape& a,
                                    const SymbolicShape& b, const SymbolicShape* c) {
  if ((a.has_rank() && a.rank() != 2) || (b.has_rank() && b.rank() != 2)) {
    return absl::InvalidArgumentError(absl::StrCat("A and B have shapes ", a.ToString(), " and ",
                                                   b.ToString(), ", expected two matrices"));
  }
  const SymbolicShape any = SymbolicShape::OfRank(2);
  ASSIGN_OR_RETURN(MatMulShape shape, ResolveMatMul(a.has_rank() ? a : any, b.has_rank() ? b : any,
                                                    attributes.Int("transA", 0) != 0,
                                                    attributes.Int("transB", 0) != 0));
  if (c == nullptr || !c->has_rank()) return shape;
  bool fits = c->rank() <= 2;
  for (int i = 1; fits && i <= c->rank(); ++i) {
    const Dim& have = (*c)[c->rank() - i];
    const Dim& want = shape.output[2 - i];
    fits = !have.known() || have.value == 1 || !want.known() || have.value == want.value;
  }
  if (!fits) {
    return absl::InvalidArgumentError(absl::StrCat(
        "C has shape ", c->ToString(), ", which does not broadcast to ", shape.output.ToString()));
  }
  return shape;
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {0, 1, 2}));
  ASSIGN_OR_RETURN(MatMulShape shape,
                   Resolve(context.attributes(), context.shape(0), context.shape(1),
                           context.has_input(2) ? &context.shape(2) : nullptr));
  context.SetOutput(0, context.dtype(0), std::move(shape.output));
  return absl::OkStatus();
}

template <typename T>
void Multiply(KernelContext& context, const MatMulShape& shape, Tensor* y) {
  using Acc = AccumulatorOf<T>;
  const Attributes& attributes = context.attributes();
  // Integers have integral scales; going through int64 keeps negative ones.
  auto scale = [&](absl::string_view name) {
    const float value = attributes.Float(name, 1);
    if constexpr (std::is_integral_v<T>) {
      return static_cast<Acc>(SaturateToInteger<int64_t>(std::clamp(value, -1e9f, 1e9f)));
    } else {
      return static_cast<Acc>(value);
    }
  };
  const bool transpose_b = attributes.Int("transB", 0) != 0;
  const Tensor& left = context.input(0);
  const Tensor& right = context.input(1);
  std::vector<Acc> a(left.data<T>(), left.data<T>() + left.num_elements());
  if (attributes.Int("transA", 0) != 0) a = Transposed<Acc>(a.data(), left.dim(0), left.dim(1));
  const Acc alpha = scale("alpha");
  for (Acc& value : a) value *= alpha;
  std::vector<Acc> product(y->num_elements(), Acc(0));
  if (context.has_input(2)) {
    const Acc beta = scale("beta");
    BroadcastWalk<1> walk(y->shape(), {&context.input(2).shape()});
    for (Acc& value : product) {
      value = static_cast<Acc>(context.input(2).data<T>()[walk.offset(0)]) * beta;
      walk.Next();
    }
  }
  std::vector<Acc> transposed;
  if (transpose_b) transposed = Transposed<Acc>(right.data<T>(), right.dim(0), right.dim(1));
  const Accumulators<Acc> plain(right.data<T>(), transpose_b ? 0 : right.num_elements());
  AddMatrixProduct(shape.m.value, shape.n.value, shape.k.value, a.data(),
                   transpose_b ? transposed.data() : plain.data(), product.data());
  std::copy(product.begin(), product.end(), y->mutable_data<T>());
}

absl::Status Compute(KernelContext& context) {
  const SymbolicShape c = context.has_input(2) ? context.input(2).shape() : Shape();
  ASSIGN_OR_RETURN(const MatMulShape shape,
                   Resolve(context.attributes(), context.input(0).shape(), context.input(1).shape(),
                           context.has_input(2) ? &c : nullptr));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, context.input(0).dtype(), shape.output.ToShape()));
  if (y->num_elements() == 0) return absl::OkStatus();
  return DispatchTypes<float, double, Float16, Bfloat16, int32_t, int64_t, uint32_t, uint64_t>(
      y->dtype(), [&](auto tag) {
        Multiply<typename decltype(tag)::type>(context, shape, y);
        return absl::OkStatus();
      });
}

}  // namespace

OpDef Gemm() {
  return {.name = "Gemm",
          .since = 13,
          .min_inputs = 2,
          .max_inputs = 3,
          .attributes = {{"alpha", AttributeKind::kFloat},
                         {"beta", AttributeKind::kFloat},
                         {"transA", AttributeKind::kInt},
                         {"transB", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
