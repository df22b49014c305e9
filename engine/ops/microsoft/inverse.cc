#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

absl::Status CheckShape(const SymbolicShape& shape) {
  if (!shape.has_rank()) return absl::OkStatus();
  const int rank = shape.rank();
  if (rank >= 2 && (!shape[rank - 2].known() || !shape[rank - 1].known() ||
                    shape[rank - 2].SameAs(shape[rank - 1]))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("X has shape ", shape.ToString(), ", expected square matrices"));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kFloat32, DType::kFloat64, DType::kFloat16}));
  RETURN_IF_ERROR(CheckShape(context.shape(0)));
  return InferSameAsFirst(context);
}

// Gauss and Jordan's elimination with the largest pivot of each column: turns `matrix` [n,n] into
// the identity and `inverse`, the identity, into its inverse. False when the matrix has none.
bool Invert(int64_t n, double* matrix, double* inverse) {
  for (int64_t column = 0; column < n; ++column) {
    int64_t pivot = column;
    for (int64_t row = column + 1; row < n; ++row) {
      if (std::abs(matrix[row * n + column]) > std::abs(matrix[pivot * n + column])) pivot = row;
    }
    const double scale = matrix[pivot * n + column];
    if (scale == 0) return false;
    for (double* m : {matrix, inverse}) {
      if (pivot != column) std::swap_ranges(m + pivot * n, m + pivot * n + n, m + column * n);
      for (int64_t i = 0; i < n; ++i) m[column * n + i] /= scale;
    }
    for (int64_t row = 0; row < n; ++row) {
      const double factor = matrix[row * n + column];
      if (row == column || factor == 0) continue;
      for (double* m : {matrix, inverse}) {
        for (int64_t i = 0; i < n; ++i) m[row * n + i] -= factor * m[column * n + i];
      }
    }
  }
  return true;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  RETURN_IF_ERROR(CheckShape(x.shape()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  if (x.num_elements() == 0) return absl::OkStatus();
  const int64_t n = x.dim(x.rank() - 1);
  return DispatchTypes<float, double, Float16>(x.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    for (int64_t begin = 0; begin < x.num_elements(); begin += n * n) {
      std::vector<double> matrix;
      for (int64_t i = 0; i < n * n; ++i) {
        matrix.push_back(static_cast<double>(x.data<T>()[begin + i]));
      }
      std::vector<double> inverse(n * n, 0.0);
      for (int64_t i = 0; i < n; ++i) inverse[i * n + i] = 1;
      if (!Invert(n, matrix.data(), inverse.data())) {
        return absl::InvalidArgumentError(
            absl::StrCat("matrix ", begin / (n * n), " is singular and has no inverse"));
      }
      for (int64_t i = 0; i < n * n; ++i) {
        y->mutable_data<T>()[begin + i] = static_cast<T>(inverse[i]);
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef Inverse() {
  return {
      .domain = "com.microsoft", .name = "Inverse", .since = 1, .infer = Infer, .compute = Compute};
}

}  // namespace inferd::ops::microsoft
