#include <cmath>
#include <string>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

absl::StatusOr<bool> TakesRoot(const Attributes& attributes) {
  const std::string metric = attributes.String("metric", "sqeuclidean");
  if (metric == "euclidean") return true;
  if (metric == "sqeuclidean") return false;
  return absl::UnimplementedError(
      absl::StrCat("metric is \"", metric, "\", expected euclidean or sqeuclidean"));
}

absl::Status CheckShapes(const SymbolicShape& a, const SymbolicShape& b) {
  for (const SymbolicShape* shape : {&a, &b}) {
    if (shape->has_rank() && shape->rank() != 2) {
      return absl::InvalidArgumentError(
          absl::StrCat("an input has shape ", shape->ToString(), ", expected [rows,features]"));
    }
  }
  if (a.has_rank() && b.has_rank() && a[1].known() && b[1].known() && !a[1].SameAs(b[1])) {
    return absl::InvalidArgumentError(absl::StrCat("A has shape ", a.ToString(), ", B has ",
                                                   b.ToString(), "; expected as many features"));
  }
  return absl::OkStatus();
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kFloat32, DType::kFloat64}));
  RETURN_IF_ERROR(CheckSameTypes(context, {0, 1}));
  RETURN_IF_ERROR(TakesRoot(context.attributes()).status());
  const SymbolicShape& a = context.shape(0);
  const SymbolicShape& b = context.shape(1);
  RETURN_IF_ERROR(CheckShapes(a, b));
  context.SetOutput(0, context.dtype(0),
                    {a.has_rank() ? a[0] : Dim(), b.has_rank() ? b[0] : Dim()});
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  RETURN_IF_ERROR(CheckShapes(a.shape(), b.shape()));
  ASSIGN_OR_RETURN(const bool root, TakesRoot(context.attributes()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, a.dtype(), {a.dim(0), b.dim(0)}));
  const int64_t features = a.dim(1);
  return DispatchTypes<float, double>(a.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* out = y->mutable_data<T>();
    for (int64_t i = 0; i < a.dim(0); ++i) {
      for (int64_t j = 0; j < b.dim(0); ++j) {
        const T* left = a.data<T>() + i * features;
        const T* right = b.data<T>() + j * features;
        T sum = 0;
        for (int64_t k = 0; k < features; ++k) sum += (left[k] - right[k]) * (left[k] - right[k]);
        *out++ = root ? std::sqrt(sum) : sum;
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef CDist() {
  return {.domain = "com.microsoft",
          .name = "CDist",
          .since = 1,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"metric", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
