#include "engine/ops/feature_matrix.h"

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {

absl::StatusOr<Dim> RowsOf(const SymbolicShape& x) {
  if (!x.has_rank()) return Dim::Unknown();
  if (x.rank() == 1) return Dim(1);
  if (x.rank() == 2) return x[0];
  return absl::InvalidArgumentError(
      absl::StrCat("X has shape ", x.ToString(), ", expected [N,F] or [F]"));
}

template <typename T>
absl::StatusOr<FeatureMatrix<T>> ReadFeatures(const Tensor& x, int64_t min_columns) {
  FeatureMatrix<T> matrix;
  ASSIGN_OR_RETURN(const Dim rows, RowsOf(x.shape()));
  matrix.rows = rows.value;
  matrix.columns = x.dim(x.rank() - 1);
  if (matrix.columns < min_columns) {
    return absl::InvalidArgumentError(absl::StrCat(
        "X has shape ", x.shape().ToString(), ", expected at least ", min_columns, " columns"));
  }
  if (x.dtype() == DTypeOf<T>()) {
    matrix.data = x.data<T>();
    return matrix;
  }
  RETURN_IF_ERROR(
      (DispatchTypes<float, double, Float16, int32_t, int64_t>(x.dtype(), [&](auto tag) {
        using X = typename decltype(tag)::type;
        for (X value : x.values<X>()) matrix.copy.push_back(static_cast<T>(value));
        return absl::OkStatus();
      })));
  matrix.data = matrix.copy.data();
  return matrix;
}

template absl::StatusOr<FeatureMatrix<float>> ReadFeatures(const Tensor&, int64_t);
template absl::StatusOr<FeatureMatrix<double>> ReadFeatures(const Tensor&, int64_t);

int64_t ClassLabels::count() const {
  return static_cast<int64_t>(is_string() ? strings->size() : ints->size());
}

absl::StatusOr<ClassLabels> ReadClassLabels(const Attributes& attributes, absl::string_view ints,
                                            absl::string_view strings) {
  ClassLabels labels{&attributes.Ints(ints), &attributes.Strings(strings)};
  if (labels.count() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("attributes ", ints, " and ", strings, " are both missing"));
  }
  return labels;
}

absl::Status InferClassifier(InferContext& context, const ClassLabels& labels, int64_t scores) {
  ASSIGN_OR_RETURN(const Dim rows, RowsOf(context.shape(0)));
  context.SetOutput(0, labels.dtype(), SymbolicShape({rows}));
  context.SetOutput(1, DType::kFloat32, SymbolicShape({rows, Dim(scores)}));
  return absl::OkStatus();
}

absl::Status StoreLabels(KernelContext& context, const ClassLabels& labels,
                         absl::Span<const int64_t> classes) {
  if (!context.wants_output(0)) return absl::OkStatus();
  const Shape shape({static_cast<int64_t>(classes.size())});
  ASSIGN_OR_RETURN(Tensor * output, context.Output(0, labels.dtype(), shape));
  for (size_t i = 0; i < classes.size(); ++i) {
    if (labels.is_string()) {
      output->mutable_data<std::string>()[i] = (*labels.strings)[classes[i]];
    } else {
      output->mutable_data<int64_t>()[i] = (*labels.ints)[classes[i]];
    }
  }
  return absl::OkStatus();
}

}  // namespace inferd
