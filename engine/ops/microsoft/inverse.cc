#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/linear_system.h"
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
      if (!SolveLinearSystem(n, matrix.data(), n, inverse.data())) {
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
