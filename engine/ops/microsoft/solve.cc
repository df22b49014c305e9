#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/linear_system.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

// A [n,n] and Y [n,k]; skl2onnx writes this operator for Gaussian process classifiers.
absl::Status CheckShapes(const SymbolicShape& a, const SymbolicShape& y) {
  const auto agree = [](const Dim& x, const Dim& other) {
    return !x.known() || !other.known() || x.value == other.value;
  };
  const bool square = !a.has_rank() || (a.rank() == 2 && agree(a[0], a[1]));
  const bool fits =
      square && (!y.has_rank() || (y.rank() == 2 && (!a.has_rank() || agree(a[0], y[0]))));
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("A has shape ", a.ToString(), " and Y ",
                                                 y.ToString(), ", expected [n,n] and [n,k]"));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kFloat32, DType::kFloat64}));
  RETURN_IF_ERROR(CheckInputType(context, 1, {context.dtype(0)}));
  RETURN_IF_ERROR(CheckShapes(context.shape(0), context.shape(1)));
  context.SetOutput(0, context.dtype(0), context.shape(1));
  return absl::OkStatus();
}

// Solves A * X = Y, or the same with A transposed. Attribute `lower` is a hint for solvers that
// know A to be triangular: it changes no answer.
absl::Status Compute(KernelContext& context) {
  const Tensor& a = context.input(0);
  const Tensor& y = context.input(1);
  RETURN_IF_ERROR(CheckShapes(a.shape(), y.shape()));
  ASSIGN_OR_RETURN(Tensor * x, context.Output(0, a.dtype(), y.shape()));
  const int64_t n = a.dim(0);
  const bool transposed = context.attributes().Int("transposed", 0) != 0;
  return DispatchTypes<float, double>(a.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    std::vector<double> matrix(n * n);
    for (int64_t row = 0; row < n; ++row) {
      for (int64_t column = 0; column < n; ++column) {
        matrix[transposed ? column * n + row : row * n + column] =
            static_cast<double>(a.data<T>()[row * n + column]);
      }
    }
    std::vector<double> solution(y.data<T>(), y.data<T>() + y.num_elements());
    if (!SolveLinearSystem(n, matrix.data(), y.dim(1), solution.data())) {
      return absl::InvalidArgumentError("A is singular");
    }
    std::copy(solution.begin(), solution.end(), x->mutable_data<T>());
    return absl::OkStatus();
  });
}

}  // namespace

OpDef Solve() {
  return {.domain = "com.microsoft",
          .name = "Solve",
          .since = 1,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"lower", AttributeKind::kInt}, {"transposed", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
