#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status CheckSquare(const SymbolicShape& x) {
  const int rank = x.rank();
  const bool fits = !x.has_rank() || (rank >= 2 && (!x[rank - 1].known() || !x[rank - 2].known() ||
                                                    x[rank - 1].value == x[rank - 2].value));
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("X has shape ", x.ToString(), ", expected square matrices"));
}

absl::Status Infer(InferContext& context) {
  SymbolicShape shape = context.shape(0);
  RETURN_IF_ERROR(CheckSquare(shape));
  if (shape.has_rank()) shape.mutable_dims().resize(shape.rank() - 2);
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

// By Gaussian elimination with row pivoting.
double Determinant(std::vector<double> a, int64_t n) {
  double determinant = 1;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i) {
      if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
    }
    if (a[pivot * n + k] == 0) return 0;
    if (pivot != k) {
      determinant = -determinant;
      for (int64_t j = 0; j < n; ++j) std::swap(a[k * n + j], a[pivot * n + j]);
    }
    determinant *= a[k * n + k];
    for (int64_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      for (int64_t j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return determinant;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  RETURN_IF_ERROR(CheckSquare(x.shape()));
  const Shape shape(x.shape().dims().subspan(0, x.rank() - 2));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  const int64_t n = x.dim(x.rank() - 1);
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < y->num_elements(); ++i) {
      const T* matrix = x.data<T>() + i * n * n;
      const double value = Determinant(std::vector<double>(matrix, matrix + n * n), n);
      y->mutable_data<T>()[i] = static_cast<T>(value);
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef Det() { return {.name = "Det", .since = 22, .infer = Infer, .compute = Compute}; }

}  // namespace inferd::ops::onnx
